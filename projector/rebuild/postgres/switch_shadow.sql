-- Makes the shadow the live view, in the caller's transaction.
-- $1 projection
SELECT views.switch_shadow($1)
