-- The dead-letter topic has confirmed these records.
-- $1 their ids
UPDATE views.parked_event SET copied_at = clock_timestamp() WHERE parked_event_id = ANY ($1::bigint[])
