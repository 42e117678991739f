-- Waits for every append in progress; the lock is freed at the end of the transaction.
SELECT pg_advisory_xact_lock(7281044, 1)
