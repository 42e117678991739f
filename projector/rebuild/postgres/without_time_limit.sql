-- For a transaction that may take minutes.
SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true),
       set_config('maintenance_work_mem', '256MB', true)
