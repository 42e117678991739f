-- Endpoint $1 goes back to log position $2: what waits of later events comes again from the log.
UPDATE views.webhook_delivery SET state = 'cancelled', settled_at = clock_timestamp(), body = NULL
WHERE endpoint_id = $1 AND state = 'waiting' AND log_position > $2
