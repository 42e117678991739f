-- The topic may have been made again, and then other records get the offsets of parked ones: a new dead letter with
-- such an offset would count as parked already. An event gets its negative log position as its offset, like a record
-- that is made from the log; what is no event, or is parked twice, gets a number below all of those. All are copied to
-- the dead-letter topic again, which may be lost, too.
-- $1 projection, $2 topic
UPDATE views.parked_event AS letter
SET record_offset = CASE
        WHEN letter.log_position IS NOT NULL AND NOT EXISTS (
            SELECT FROM views.parked_event AS other
            WHERE other.projection = letter.projection AND other.topic = letter.topic
              AND other.partition = letter.partition AND other.log_position = letter.log_position
              AND other.parked_event_id <> letter.parked_event_id
        ) THEN -letter.log_position
        ELSE -4611686018427387904 - letter.parked_event_id
    END,
    copied_at = NULL
WHERE letter.projection = $1 AND letter.topic = $2 AND letter.record_offset >= 0
