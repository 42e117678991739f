-- Deletes a row that is still as it was seen; whether it was.
SELECT sharding.free($1, $2, $3, $4)
