-- One migrator per database: the key is the ASCII text 'migrate'. False when another holds it.
SELECT pg_try_advisory_lock(30796665482998885)
