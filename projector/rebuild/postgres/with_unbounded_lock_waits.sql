-- Waits for a lock as long as a statement may last, in this transaction alone.
SELECT set_config('lock_timeout', '0', true)
