-- How the answer to the last attempt began, for people who look for what is wrong. NULL: it said nothing, or
-- nothing of interest.
ALTER TABLE delivery ADD COLUMN last_answer text;
