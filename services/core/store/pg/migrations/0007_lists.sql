-- Lists of monitors: what they are filtered and ordered by.
--
-- Both extensions come with PostgreSQL (contrib) and are trusted: whoever may create in the database
-- may create them.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE EXTENSION IF NOT EXISTS btree_gin;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
  RAISE EXCEPTION 'the extensions pg_trgm and btree_gin of PostgreSQL (contrib) are needed; an administrator of the database can create them beforehand: %', SQLERRM;
END $$;

-- The state of each monitor and since when it has it, in the orders in which lists go. Apart from
-- monitor_state, so that a change of state costs the hot row no index entry. Written with every
-- change of state; upkeep mends what a binary before this migration has changed beside it.
CREATE TABLE monitor_listing (
  monitor_id bigint PRIMARY KEY,
  changed_at timestamptz NOT NULL,
  project_id integer NOT NULL,
  state smallint NOT NULL,
  id text COLLATE "C" NOT NULL
) WITH (fillfactor = 80);
-- Since when is known of what is DOWN (its incident) and of what was never pushed; of the others
-- the best that is: when it was paused, else its newest incident's end, else its creation.
INSERT INTO monitor_listing (monitor_id, changed_at, project_id, state, id)
  SELECT m.monitor_id,
         greatest(m.created_at, CASE s.state
           WHEN 3 THEN i.opened_at
           WHEN 4 THEN s.armed_at
           WHEN 2 THEN (SELECT max(e.closed_at) FROM incident e WHERE e.monitor_id = m.monitor_id)
         END),
         m.project_id, s.state, m.id
  FROM monitor m JOIN monitor_state s ON s.monitor_id = m.monitor_id
  LEFT JOIN incident i ON i.incident_id = s.incident_id;
CREATE INDEX monitor_listing_changed ON monitor_listing (project_id, state, changed_at, id);
-- Nearly all are UP (2): they are found in the order of the id without it, and a recovery is spared
-- the entry.
CREATE INDEX monitor_listing_id ON monitor_listing (project_id, state, id) WHERE state <> 2;
ANALYZE monitor_listing;

CREATE INDEX monitor_created ON monitor (project_id, created_at, id);
-- Everything that a filter may ask of a definition, so that several terms meet within the index.
CREATE INDEX monitor_search ON monitor USING gin (
  project_id, severity, owner, labels,
  (lower((display_name || E'\x01' || id) COLLATE "C")) gin_trgm_ops
) WITH (fastupdate = off);
ANALYZE monitor;
