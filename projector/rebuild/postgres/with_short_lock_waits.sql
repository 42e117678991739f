-- A lock that is not to be had soon is given up, in this transaction alone: readers queue behind whoever waits.
SELECT set_config('lock_timeout', '500ms', true)
