-- Takes the lock on a projection's rebuild until the session ends. False: another process has it.
-- $1 projection
SELECT pg_try_advisory_lock(hashtextextended('rebuild ' || $1::text, 0))
