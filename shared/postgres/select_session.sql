-- The session that answers: its server process, its role, and the limits that apply to it.
SELECT pg_backend_pid() AS server_pid, current_user::text AS role_name,
       current_setting('statement_timeout') AS statement_timeout,
       current_setting('idle_in_transaction_session_timeout') AS idle_in_transaction_session_timeout,
       current_setting('plan_cache_mode') AS plan_cache_mode
