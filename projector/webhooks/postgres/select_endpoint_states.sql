-- Which log it is, how far it goes, the last change of an endpoint, and all endpoints as they are. At least one row; without an
-- endpoint its columns are NULL.
SELECT log.log_id, (SELECT coalesce(max(position), 0) FROM catalogue.events) AS newest_position,
       (SELECT coalesce(max(change_position), 0) FROM catalogue.webhook_events) AS last_change_position,
       endpoint.change_position, endpoint.endpoint_id, endpoint.is_deleted, endpoint.document::text AS document,
       endpoint.stream_version
FROM catalogue.event_log AS log
LEFT JOIN catalogue.webhook_endpoints AS endpoint ON NOT endpoint.is_deleted
