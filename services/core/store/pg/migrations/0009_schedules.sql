-- Cron schedules, bounds of values, runs with a limit, reminders; what a job put out.
--
-- All of it is NULL or constant in the rows that exist, so that no table is rewritten. While cores
-- of the release before still run, make no monitor with a cron schedule or such a bound: they know
-- of none, and find such a job late or not at all (never falsely).
ALTER TABLE monitor
  ADD COLUMN cron text,
  ADD COLUMN time_zone text NOT NULL DEFAULT '',
  ADD COLUMN early_tolerance_us bigint,
  ADD COLUMN value_min double precision,
  ADD COLUMN value_max double precision,
  ADD COLUMN max_run_us bigint NOT NULL DEFAULT 0,   -- 0: no limit
  ADD COLUMN reminder_us bigint NOT NULL DEFAULT 0;  -- 0: never

ALTER TABLE monitor_state
  ADD COLUMN credit_at timestamptz,   -- NULL: the newest heartbeat satisfied the schedule last
  ADD COLUMN excused_at timestamptz,  -- the fire time that was excused last
  -- [[id, start, due or 0, overran], …], times in microseconds; NULL: none. Here and not in a table
  -- of their own: who locks the monitor has them, and few have more than one.
  ADD COLUMN runs text;

ALTER TABLE incident ADD COLUMN reminded_at timestamptz;

-- Until now nothing was written there. It has the named runs that have ended, for kRunMemory: a start
-- that comes later opens nothing.
ALTER TABLE run
  DROP COLUMN project_id,
  DROP COLUMN started_at,
  ALTER COLUMN ended_at SET NOT NULL;
CREATE INDEX run_ended ON run (ended_at);

ALTER TABLE heartbeat
  ADD COLUMN run_duration_us bigint,
  ADD COLUMN output bytea;
ALTER TABLE heartbeat_kept
  ADD COLUMN run_duration_us bigint,
  ADD COLUMN output bytea;
