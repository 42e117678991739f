-- Makes the previous tables the live ones again, in the caller's transaction.
-- $1 projection
SELECT views.switch_back($1)
