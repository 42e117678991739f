-- How many messages wait for endpoint $1, counted up to $2.
SELECT count(*) FROM (
    SELECT FROM views.webhook_delivery WHERE endpoint_id = $1 AND state = 'waiting' LIMIT $2
) AS counted
