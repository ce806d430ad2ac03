-- What a monitor that flaps is judged by, and what is told of it when it is steady. NULL of nearly
-- all monitors: they change seldom. While cores of the release before still run, they tell each
-- transition of what flaps.
ALTER TABLE monitor_state
  ADD COLUMN transitions bigint[],          -- microseconds since the epoch
  ADD COLUMN flapping_since timestamptz,
  ADD COLUMN untold_end bigint;             -- an incident

-- Alerts that come by the dozen are gathered and told by one digest. Those it tells stay in their
-- places, pending and leased until it is done, so that what follows waits for it.
ALTER TABLE channel
  ADD COLUMN group_limit integer NOT NULL DEFAULT 10,
  ADD COLUMN group_wait_us bigint NOT NULL DEFAULT 10000000;
ALTER TABLE delivery
  ADD COLUMN gather boolean NOT NULL DEFAULT false,  -- not tried yet, and may be gathered
  ADD COLUMN told_by text COLLATE "C";               -- the id of the digest that tells it
CREATE INDEX delivery_told_by ON delivery (told_by) WHERE told_by IS NOT NULL;
CREATE INDEX delivery_gather ON delivery (channel_id, next_attempt_at, delivery_id)
  WHERE state = 1 AND gather;
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (channel_id, next_attempt_at, delivery_id)
  WHERE state = 1 AND NOT gather AND told_by IS NULL;
-- In which the alerts of a channel are counted.
CREATE TABLE gather_window (
  channel_id bigint PRIMARY KEY,
  started_at timestamptz NOT NULL,
  sent integer NOT NULL
) WITH (fillfactor = 50);

-- A mute is kept as a maintenance that moves no deadline. While cores of the release before still run,
-- make none: they take it for a maintenance.
ALTER TABLE maintenance
  ADD COLUMN kind smallint NOT NULL DEFAULT 1,
  -- A deleted one is remembered for a time: it has moved deadlines.
  ADD COLUMN deleted_at timestamptz,
  DROP CONSTRAINT maintenance_id_taken;
CREATE UNIQUE INDEX maintenance_id_taken ON maintenance (project_id, kind, id)
  WHERE deleted_at IS NULL;
