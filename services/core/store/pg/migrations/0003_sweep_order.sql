-- A sweep goes on behind (sweep_at, monitor_id): after an own outage very many monitors share the
-- one.
DROP INDEX monitor_sweep_at;
CREATE INDEX monitor_sweep_at ON monitor_sweep (sweep_at, monitor_id) WHERE sweep_at IS NOT NULL;
