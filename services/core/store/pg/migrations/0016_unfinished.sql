-- The deliveries that are not done, for lists of them. What asks for pending ones without a project, to find
-- those of a monitor, must not find them here: while nothing is pending this index is as small as the one that
-- is meant for it (delivery_order), and a plan that was made then reads all that is pending for each monitor of
-- an outage. The second condition keeps them off: only what names the project, and says that it is one, implies it.
CREATE INDEX delivery_unfinished ON delivery (project_id, state, delivery_id)
  WHERE state <> 2 AND project_id > 0;
