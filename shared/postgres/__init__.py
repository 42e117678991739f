"""Technical code for PostgreSQL that the processes share: pools, named SQL, errors, migrations."""
