-- The next position is above this one; in the transaction of an append, before it.
SELECT sharding.raise_position($1)
