-- The dead letters of a view that was made from another log: their events are not in this one.
-- $1 projection
WITH events AS (
    DELETE FROM views.parked_event WHERE projection = $1
), orders AS (
    DELETE FROM views.park_order WHERE projection = $1
)
DELETE FROM views.parked_product WHERE projection = $1
