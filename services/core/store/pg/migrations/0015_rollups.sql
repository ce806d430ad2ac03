-- What is kept of the heartbeats of an hour when they are gone; `data` is of store/rollup_codec.h. The time
-- comes first in the key: an hour is written at one place of the index, and dropped there.
CREATE TABLE rollup_hour (
  start_at timestamptz NOT NULL,
  monitor_id bigint NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (start_at, monitor_id)
);
-- Of a day of UTC, from its hours.
CREATE TABLE rollup_day (
  start_at timestamptz NOT NULL,
  monitor_id bigint NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (start_at, monitor_id)
);
-- How far it came: the hour (span 1) or day (2) that is being rolled up, and the last monitor of it that was.
-- Written in the transaction of what it tells.
CREATE TABLE rollup_progress (
  span smallint PRIMARY KEY,
  start_at timestamptz NOT NULL,
  monitor_id bigint NOT NULL
) WITH (fillfactor = 50);
