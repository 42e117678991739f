-- One archive job of a log at a time; the session holds the lock until it ends. 1 is the append lock, 2 that of partitions,
-- 3 the relay's.
SELECT pg_try_advisory_lock(7281044, 9)
