-- What attempts say of their endpoints: $1 endpoints, $2 whether an attempt succeeded, $3 whether one failed, $4 seconds of rest that
-- the receiver needs or NULL, $5 why it is disabled or NULL. $6: it is disabled after so many seconds of failures alone.
UPDATE views.webhook_endpoint AS endpoint
SET last_success_at = CASE WHEN told.has_succeeded THEN clock_timestamp() ELSE endpoint.last_success_at END,
    last_failure_at = CASE WHEN told.has_failed THEN clock_timestamp() ELSE endpoint.last_failure_at END,
    failing_since = CASE WHEN told.has_succeeded THEN NULL ELSE coalesce(endpoint.failing_since, clock_timestamp()) END,
    throttled_until = CASE WHEN told.throttle_seconds IS NULL THEN endpoint.throttled_until
                           ELSE clock_timestamp() + make_interval(secs => told.throttle_seconds) END,
    disabled_at = CASE WHEN disabling.reason IS NULL THEN endpoint.disabled_at
                       ELSE coalesce(endpoint.disabled_at, clock_timestamp()) END,
    disabled_reason = coalesce(endpoint.disabled_reason, disabling.reason)
FROM unnest($1::uuid[], $2::bool[], $3::bool[], $4::float8[], $5::text[])
    AS told(endpoint_id, has_succeeded, has_failed, throttle_seconds, disable_reason)
JOIN views.webhook_endpoint AS before USING (endpoint_id)
CROSS JOIN LATERAL (
    SELECT coalesce(
        told.disable_reason,
        CASE WHEN NOT told.has_succeeded AND before.failing_since < clock_timestamp() - make_interval(secs => $6::float8)
             THEN 'no delivery succeeded since ' || to_char(before.failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END
    ) AS reason
) AS disabling
WHERE endpoint.endpoint_id = told.endpoint_id
