-- The contents of a digest: each product once, whatever its events, and the first products of each sort by name.
-- $1 digest id, $2 products shown of each sort
WITH product AS (
    SELECT notification.product_id, count(*) AS events, min(notification.log_position) AS first_position,
           max(notification.log_position) AS last_position,
           bool_or(notification.kind = 'product-created') AS is_new, bool_or(notification.kind = 'product-archived') AS is_archived
    FROM views.notification_gathering AS gathering
    JOIN views.notification USING (gathering_id)
    WHERE gathering.digest_id = $1
    GROUP BY notification.product_id
), sorted AS (
    SELECT *, CASE WHEN is_new AND is_archived THEN 'new-and-archived' WHEN is_new THEN 'new'
                   WHEN is_archived THEN 'archived' ELSE 'cheaper' END AS sort
    FROM product
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY sort ORDER BY first_position) AS place,
           count(*) OVER (PARTITION BY sort) AS products, sum(events) OVER (PARTITION BY sort) AS sort_events
    FROM sorted
)
SELECT sort, products::int, sort_events::int AS events, product_id, last_position
FROM counted
WHERE place <= $2::int
ORDER BY sort, place
