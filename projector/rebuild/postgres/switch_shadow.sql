-- The shadow becomes live, in the caller's transaction.
-- $1 projection
SELECT views.switch_shadow($1)
