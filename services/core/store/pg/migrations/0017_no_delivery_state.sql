-- By itself: a migration that held deliveries still to make the index that takes its place, and then waited for
-- those who read them, could wait for somebody who waits for it.
DROP INDEX delivery_state;
