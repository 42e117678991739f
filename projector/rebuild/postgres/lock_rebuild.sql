-- One rebuild of a projection at a time, for as long as the session lives. False: another one runs.
-- $1 projection
SELECT pg_try_advisory_lock(hashtextextended('rebuild ' || $1::text, 0))
