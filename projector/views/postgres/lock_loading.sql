-- Lets one loader at a time write rows that several loaders share, until its transaction ends.
-- $1 which rows
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))
