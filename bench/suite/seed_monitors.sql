-- Monitors that are UP, as a long-running system has them. Variables: first, count, timeout_us
-- (of the first), severity, step_us (how much longer each next one's is), prefix (of the id), channels (an
-- array of which each monitor names one in turn, or an empty one). The push token of number n is
-- "bench" and n in 17 digits. Owners have 50 monitors each; the label env divides them in two, and block
-- is that of 100,000 in a row.
BEGIN;
CREATE TEMP TABLE fresh ON COMMIT DROP AS
  SELECT n, nextval('monitor_monitor_id_seq') AS monitor_id, nextval('definition_version') AS version,
         :timeout_us + (n - :first) * :step_us AS timeout_us, date_trunc('milliseconds', now()) AS at
  FROM generate_series(:first, :first + :count - 1) AS n;
INSERT INTO monitor (monitor_id, project_id, id, display_name, description, owner, severity,
    runbook_url, labels, timeout_us, recommended_interval_us, grace_us, failure_threshold,
    recovery_threshold, arm_on_create, resume_on_heartbeat, channels, version, created_at, updated_at)
  SELECT monitor_id, 1, :'prefix' || n, :'prefix' || n, '', 'owner-' || n / 50, :severity, '',
         jsonb_build_object('env', CASE n % 2 WHEN 0 THEN 'prod' ELSE 'test' END,
                            'block', (n / 100000)::text), timeout_us, timeout_us,
         0, 1, 1, false, false,
         array_remove(ARRAY[given[1 + n % greatest(1, cardinality(given))]], NULL), version, at, at
  FROM fresh, CAST(:'channels' AS text[]) AS given;
INSERT INTO push_token (hash, monitor_id, created_at)
  SELECT sha256(convert_to('bench' || lpad(n::text, 17, '0'), 'UTF8')), monitor_id, at FROM fresh;
INSERT INTO monitor_state (monitor_id, version, sequence, last_at, last_push, project_id, failures,
    successes, misses, open_runs, state, last_kind, last_source)
  SELECT monitor_id, version, 0, at, n, 1, 0, 0, 0, 0, 2, 1, 1 FROM fresh;
INSERT INTO monitor_listing (monitor_id, changed_at, project_id, state, id)
  SELECT monitor_id, at, 1, 2, :'prefix' || n FROM fresh;
INSERT INTO monitor_sweep (monitor_id, sweep_at, critical)
  SELECT monitor_id, at + timeout_us * interval '1 microsecond', :severity = 1 FROM fresh;
INSERT INTO heartbeat (received_at, monitor_id, push_id, project_id, kind, source)
  SELECT at, monitor_id, n, 1, 1, 1 FROM fresh;
SELECT min(monitor_id) AS first_id FROM fresh
\gset
COMMIT;
-- Whatever was pushed once has dropped its reserve, some rows of a page at a time. With it pages
-- would be full: every push would prune, and what dies would move to another page.
SELECT format('UPDATE monitor_state SET reserve = NULL'
              ' WHERE monitor_id >= %s AND monitor_id %% 20 = %s AND reserve IS NOT NULL', :first_id, part)
  FROM generate_series(0, 19) AS part
\gexec
