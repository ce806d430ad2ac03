-- When the channel was last given another URL; NULL: never. What deliveries that were leased before
-- that met with says nothing about the receiver that it leads to now.
ALTER TABLE channel ADD COLUMN url_set_at timestamptz;
