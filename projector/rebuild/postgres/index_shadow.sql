-- Makes the indexes of a loaded shadow.
-- $1 projection
SELECT views.index_shadow($1)
