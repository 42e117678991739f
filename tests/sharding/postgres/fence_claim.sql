-- After it no append with this claim is accepted.
SELECT sharding.fence_claim($1)
