-- Wait for every append that is under way; freed at the end of the transaction.
SELECT pg_advisory_xact_lock(7281044, 1)
