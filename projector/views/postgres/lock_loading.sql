-- Rows that several loaders add to are one loader's at a time, until its transaction ends.
-- $1 which rows
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))
