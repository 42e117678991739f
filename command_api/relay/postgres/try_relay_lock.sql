-- One active relay per log; the session holds the lock until it ends. (7281044, 1) is the append lock, 2 that of partitions.
SELECT pg_try_advisory_lock(7281044, 3)
