-- How far each projection is in the partition of a product, whether it has parked the product, and the version of it that
-- it has (NULL: its view keeps none here); in each row also the version in the topic of states.
-- $1 product id, $2 topic, $3 partition
WITH place AS (
    SELECT projection, max(log_position) AS log_position
    FROM (
        SELECT projection, log_position FROM views.projection_checkpoint WHERE topic = $2 AND partition = $3
        UNION ALL
        SELECT projection, log_position FROM views.projection_lag WHERE topic = $2 AND partition = $3
    ) AS told
    GROUP BY projection
), version AS (
    SELECT 'product_view' AS projection, stream_version FROM views.product_view WHERE product_id = $1
    UNION ALL
    SELECT 'category_view', stream_version FROM views.category_view_product WHERE product_id = $1
    UNION ALL
    SELECT 'inventory', stream_version FROM views.inventory_product WHERE product_id = $1
    UNION ALL
    SELECT 'analytics', stream_version FROM views.analytics_product WHERE product_id = $1
    UNION ALL
    SELECT 'products_state', stream_version FROM views.product_state WHERE product_id = $1
)
SELECT projection, coalesce(place.log_position, 0) AS log_position,
       EXISTS (
           SELECT FROM views.parked_product AS parked
           WHERE parked.projection = coalesce(place.projection, version.projection) AND parked.product_id = $1
       ) AS is_parked,
       version.stream_version,
       (SELECT state.published_version FROM views.product_state AS state WHERE state.product_id = $1) AS published_version
FROM place
FULL JOIN version USING (projection)
ORDER BY projection
