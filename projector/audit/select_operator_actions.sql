-- The newest operator actions.
-- $1 projection, $2 actor, $3 since when, $4 before which id, each or NULL; $5 how many at most
SELECT operator_action_id, acted_at, actor, action, projection, product_id, reason, result, detail
FROM views.operator_action
WHERE ($1::text IS NULL OR projection = $1) AND ($2::text IS NULL OR actor = $2)
  AND ($3::timestamptz IS NULL OR acted_at >= $3) AND ($4::bigint IS NULL OR operator_action_id < $4)
ORDER BY operator_action_id DESC
LIMIT $5
