"""asyncpg plumbing that two processes would otherwise write twice: pools, named SQL, errors, migrations."""
