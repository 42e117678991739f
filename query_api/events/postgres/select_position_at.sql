-- The position before the first event that was recorded at time $1 or later, looking after position $2 only. A binary search,
-- because no index has the times. Where a clock was set back, it is one of the places around that moment.
WITH RECURSIVE place(lowest, highest) AS (
    SELECT $2::bigint, greatest($2, coalesce((SELECT max(position) FROM catalogue.events), 0)) + 1
    UNION ALL
    SELECT CASE WHEN probe.is_at THEN place.lowest ELSE middle.position END,
           CASE WHEN probe.is_at THEN middle.position ELSE place.highest END
    FROM place
    CROSS JOIN LATERAL (SELECT (place.lowest + place.highest) / 2 AS position) AS middle
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT event.recorded_at >= $1::timestamptz FROM catalogue.events AS event
            WHERE event.position >= middle.position ORDER BY event.position LIMIT 1
        ), true) AS is_at
    ) AS probe
    WHERE place.highest - place.lowest > 1
)
SELECT max(lowest) AS log_position FROM place
