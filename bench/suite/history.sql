-- Adds :rows heartbeats to the past, spread over 12 days, in order of time as they would have
-- come: one of the monitors "bench-…" after another, in any order. Partitions are core's own.
SELECT format(
    'CREATE TABLE IF NOT EXISTS %1$I (LIKE heartbeat INCLUDING ALL);'
    'ALTER TABLE heartbeat ATTACH PARTITION %1$I FOR VALUES FROM (%2$L) TO (%3$L)',
    'heartbeat_' || to_char(day, 'YYYYMMDD'), day::timestamptz, (day + 1)::timestamptz)
  FROM (SELECT (now() AT TIME ZONE 'UTC')::date - ago AS day FROM generate_series(2, 13) AS ago) d
  WHERE to_regclass('heartbeat_' || to_char(day, 'YYYYMMDD')) IS NULL
\gexec

INSERT INTO heartbeat (received_at, monitor_id, push_id, project_id, kind, source)
  SELECT day + n * (interval '1 day' / (:rows / 12 + 1)),
         first_id + floor(random() * (last_id - first_id + 1))::bigint, n, 1, 1, 1
  FROM (SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
               - ago * interval '1 day' AS day
        FROM generate_series(13, 2, -1) AS ago) d,
       generate_series(1, :rows / 12) AS n,
       (SELECT min(monitor_id) AS first_id, max(monitor_id) AS last_id
        FROM monitor WHERE id LIKE 'bench-%') m;
