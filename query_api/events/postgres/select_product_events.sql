-- The events of product $1 after position $2, in order: at most $3, cut after the event with which the data exceeds $4 bytes. Each
-- row says how far the log goes; at least one row. A binary search finds the version at the position, because no index has both.
WITH RECURSIVE place(lowest, highest) AS (
    SELECT 0, stream.stream_version + 1 FROM catalogue.streams AS stream WHERE stream.product_id = $1::uuid
    UNION ALL
    SELECT CASE WHEN probe.is_after THEN place.lowest ELSE middle.version END,
           CASE WHEN probe.is_after THEN middle.version ELSE place.highest END
    FROM place
    CROSS JOIN LATERAL (SELECT (place.lowest + place.highest) / 2 AS version) AS middle
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT event.position > $2::bigint FROM catalogue.events AS event
            WHERE event.product_id = $1 AND event.stream_version = middle.version
        ), false) AS is_after
    ) AS probe
    WHERE place.highest - place.lowest > 1
)
SELECT (SELECT coalesce(max(position), 0) FROM catalogue.events) AS newest_position, found.*
FROM (SELECT) AS always
LEFT JOIN (
    SELECT page.*
    FROM (SELECT max(lowest) AS version FROM place) AS last
    CROSS JOIN LATERAL catalogue.stream_page($1, last.version, 2147483647, $3, $4) AS page
) AS found ON true
ORDER BY found.stream_version
