-- Records an operator action; if it changed rows, then in the transaction that changed them. A projector writes
-- it to its log soon after.
-- $1 actor, $2 action, $3 projection, $4 product id or NULL, $5 reason, $6 result, $7 detail
WITH recorded AS (
    INSERT INTO views.operator_action (actor, action, projection, product_id, reason, result, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING operator_action_id
)
INSERT INTO views.unlogged_operator_action (operator_action_id)
SELECT operator_action_id FROM recorded
