-- What failed at endpoint $1 is tried again at once; what is being sent is not touched.
UPDATE views.webhook_lane SET due_at = clock_timestamp() WHERE endpoint_id = $1 AND claim_id IS NULL
