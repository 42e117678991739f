-- The events with a single mail that is not sent for certain, and will be tried again by itself: the record that waits
-- for the next attempt is in a topic, which may be lost. The oldest first.
SELECT event_id, product_id
FROM views.notification
WHERE state IN ('failed', 'planned')
GROUP BY event_id, product_id
ORDER BY min(claimed_at), event_id
