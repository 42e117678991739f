-- One active relay per log; held by the session until it ends. (7281044, 1) is the append's, 2 the partitions'.
SELECT pg_try_advisory_lock(7281044, 3)
