-- The names of an appended claim are settled.
SELECT sharding.drop_open_claim($1)
