-- What was known when an event happened, as tocsin.stored.v1.EventFacts: half as long as the JSON that
-- it takes the place of, and not parsed by the database. `snapshot` is read for events from before.
--
-- breaks older binaries: they cannot read such events, and one that they cannot read keeps them from
-- delivering any.
ALTER TABLE alert_event ADD COLUMN facts bytea, ALTER COLUMN snapshot DROP NOT NULL;
