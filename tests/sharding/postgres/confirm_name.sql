-- From pending by this claim to held; whether it was.
SELECT sharding.confirm($1, $2)
