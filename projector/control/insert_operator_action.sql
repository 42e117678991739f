-- Records an operator action, in the transaction of its effect.
-- $1 actor, $2 action, $3 projection, $4 product id or NULL, $5 reason, $6 detail
INSERT INTO views.operator_action (actor, action, projection, product_id, reason, detail)
VALUES ($1, $2, $3, $4, $5, $6)
