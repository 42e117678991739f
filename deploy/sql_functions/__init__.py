"""The present text of SQL functions, one file each: compared with a migrated database."""
