-- Waits only shortly for locks, in this transaction alone: readers queue behind a statement that waits.
-- But longer than PostgreSQL's deadlock_timeout (1 s): after that, PostgreSQL ends an autovacuum in the way.
SELECT set_config('lock_timeout', '1500ms', true)
