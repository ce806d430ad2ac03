-- While very many deadlines wait for a sweep, those of critical monitors are found among them.
ALTER TABLE monitor_sweep ADD COLUMN critical boolean NOT NULL DEFAULT false;
UPDATE monitor_sweep w SET critical = true FROM monitor m
  WHERE m.monitor_id = w.monitor_id AND m.severity = 1;
CREATE INDEX monitor_sweep_critical ON monitor_sweep (sweep_at, monitor_id)
  WHERE critical AND sweep_at IS NOT NULL;
