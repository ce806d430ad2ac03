-- What a change of maintenances asks the sweeper to look at again, which is done in parts once the
-- change is committed. `monitors` are ids; NULL stands for every monitor of the project, of which those
-- up to `after_id` are done.
CREATE TABLE sweep_wake (
  wake_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id integer NOT NULL,
  monitors text[],
  after_id text COLLATE "C" NOT NULL DEFAULT ''
);
