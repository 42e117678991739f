-- Takes the oldest operator actions that no process has written to its log; those that another process writes
-- now are passed over.
-- $1 how many at most
WITH taken AS (
    DELETE FROM views.unlogged_operator_action
    WHERE operator_action_id IN (
        SELECT operator_action_id FROM views.unlogged_operator_action
        ORDER BY operator_action_id LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    RETURNING operator_action_id
)
SELECT operator_action_id, acted_at, actor, action, projection, product_id, reason, result, detail
FROM views.operator_action JOIN taken USING (operator_action_id)
ORDER BY operator_action_id
