-- One migrator per database: the key is the ASCII text 'migrate'. False if another session holds the lock.
SELECT pg_try_advisory_lock(30796665482998885)
