-- Waits only shortly for locks, in this transaction alone: readers queue behind a statement that waits.
SELECT set_config('lock_timeout', '500ms', true)
