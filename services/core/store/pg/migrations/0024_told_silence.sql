-- From when on no gateway was heard, of the times that people were told of while they lasted, and
-- the projects whose people were, by which deliveries (their ids).
CREATE TABLE told_silence (
  since timestamptz PRIMARY KEY,
  projects bigint[] NOT NULL,
  deliveries text[] NOT NULL
);
