-- What people were told last of a channel that does not work: when, and its failing_since and
-- disabled_at as they were then. Written with the deliveries that tell it, so that they tell once.
ALTER TABLE channel
  ADD COLUMN told_at timestamptz,
  ADD COLUMN told_failing_since timestamptz,
  ADD COLUMN told_disabled_at timestamptz;
-- Channels that are disabled were told of when that happened.
UPDATE channel SET told_at = disabled_at, told_failing_since = failing_since,
  told_disabled_at = disabled_at WHERE disabled_at IS NOT NULL;
