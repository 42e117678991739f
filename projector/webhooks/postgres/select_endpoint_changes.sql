-- Which log it is and how far it goes, and the changes of endpoints after change position $1, in order: at most $2, each with what
-- its endpoint is now. At least one row; without a change its columns are NULL.
SELECT log.log_id, (SELECT coalesce(max(position), 0) FROM catalogue.events) AS newest_position, change.*
FROM catalogue.event_log AS log
LEFT JOIN (
    SELECT event.change_position, event.endpoint_id, event.event_type, event.data::text AS data, event.recorded_at,
           endpoint.is_deleted, endpoint.document::text AS document, endpoint.stream_version
    FROM catalogue.webhook_events AS event
    JOIN catalogue.webhook_endpoints AS endpoint USING (endpoint_id)
    WHERE event.change_position > $1
    ORDER BY event.change_position
    LIMIT $2
) AS change ON true
ORDER BY change.change_position
