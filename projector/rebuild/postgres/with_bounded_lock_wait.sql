-- Sets how long this session waits for a lock.
-- $1 milliseconds, as text
SELECT set_config('lock_timeout', $1, false)
