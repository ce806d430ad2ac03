-- Which pending deliveries are leased, for counting them and for the time at which the next lease
-- ends. Whoever holds a delivery stands in its own row; this is only how its leases are found. Apart
-- from it, so that leasing changes no index of deliveries, of which there are eight: that was most
-- of what a lease cost. A row that lost its delivery is dropped by upkeep.
CREATE TABLE lease (
  delivery_id bigint PRIMARY KEY,
  channel_id bigint NOT NULL,
  leased_until timestamptz NOT NULL
);
CREATE INDEX lease_channel ON lease (channel_id, leased_until);
INSERT INTO lease (delivery_id, channel_id, leased_until)
  SELECT delivery_id, channel_id, leased_until FROM delivery
  WHERE state = 1 AND leased_until IS NOT NULL;
DROP INDEX delivery_lease;
-- A page has room for the lease of each delivery in it: without it half of the updates would change
-- all indexes after all.
ALTER TABLE delivery SET (fillfactor = 45);
