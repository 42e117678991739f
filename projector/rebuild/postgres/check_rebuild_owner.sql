-- Whether this owner still has the rebuild. It cannot change until the transaction ends.
-- $1 projection, $2 owner id
SELECT true FROM views.rebuild_owner WHERE projection = $1 AND owner_id = $2 FOR SHARE
