-- After it no append with this claim is accepted.
SELECT sharding.close_door($1)
