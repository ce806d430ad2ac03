-- Whether messages of the channel leave out what jobs put out.
ALTER TABLE channel ADD COLUMN omit_output boolean NOT NULL DEFAULT false;
