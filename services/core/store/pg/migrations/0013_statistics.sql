-- When monitors were not expected to be heard: NEW (1) or PAUSED (4). Written when that ends; what
-- goes on stands in monitor_listing. Kept as long as incidents, for statistics.
CREATE TABLE unwatched (
  monitor_id bigint NOT NULL,
  start_at timestamptz NOT NULL,
  end_at timestamptz NOT NULL,
  state smallint NOT NULL,
  PRIMARY KEY (monitor_id, end_at)
);
CREATE INDEX unwatched_end ON unwatched (end_at);

-- Of pauses that are over already the audit log knows those that people ended. (Those that a
-- heartbeat ended are not known, and count as if the monitor had been watched.)
INSERT INTO unwatched (monitor_id, start_at, end_at, state)
  SELECT m.monitor_id, c.at, c.next_at, 4
  FROM (SELECT a.resource, a.at, x.after, lead(a.at) OVER same AS next_at,
               lead(x.before) OVER same AS next_before
        FROM audit_entry a
        CROSS JOIN LATERAL (SELECT e->>1 AS before, e->>2 AS after
                            FROM jsonb_array_elements(a.changes) e WHERE e->>0 = 'state') x
        WHERE a.resource LIKE 'projects/%/monitors/%'
        WINDOW same AS (PARTITION BY a.resource ORDER BY a.at, a.audit_entry_id)) c
  JOIN project p ON p.deleted_at IS NULL
  JOIN monitor m ON m.project_id = p.project_id
    AND c.resource = 'projects/' || p.id || '/monitors/' || m.id
  WHERE c.after = 'STATE_PAUSED' AND c.next_before = 'STATE_PAUSED' AND c.next_at > c.at
  ON CONFLICT DO NOTHING;

-- By the database, since every way out of such a state changes the same row, also one that a core of
-- the release before takes. The condition is looked at only when a state changes. It comes last,
-- since transitions wait from here on until the migration has ended.
CREATE FUNCTION note_unwatched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unwatched (monitor_id, start_at, end_at, state)
    VALUES (OLD.monitor_id, OLD.changed_at, NEW.changed_at, OLD.state)
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER monitor_listing_unwatched AFTER UPDATE ON monitor_listing FOR EACH ROW
  WHEN (OLD.state IN (1, 4) AND NEW.state <> OLD.state AND NEW.changed_at > OLD.changed_at)
  EXECUTE FUNCTION note_unwatched();
