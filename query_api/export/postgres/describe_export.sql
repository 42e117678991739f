-- How far a snapshot has the log, and how many products it has in these statuses.
--
-- It has all events up to the smallest checkpoint. A partition without checkpoint has applied nothing: 0. Of a product
-- with parked events it has none of these, although the checkpoint has passed them.
-- $1 projection, $2 topic, $3 number of the topic's partitions, $4 statuses
SELECT
    least(
        (SELECT CASE WHEN count(*) < $3::int THEN 0 ELSE min(log_position) END
         FROM views.projection_checkpoint
         WHERE projection = $1 AND topic = $2 AND partition < $3::int),
        (SELECT min(log_position) - 1
         FROM views.parked_event
         WHERE projection = $1 AND topic = $2)
    ) AS log_position,
    (SELECT count(*) FROM views.product_view WHERE status = ANY ($4::text[])) AS product_count
