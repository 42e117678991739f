-- Settings of the transaction of an export, behind a pooler too: how long its statements may take and it may be idle
-- between them, and that documents are read along the primary key. A sort would keep the first document back until the
-- last one is read.
-- $1 milliseconds
SELECT
    set_config('statement_timeout', $1, true),
    set_config('idle_in_transaction_session_timeout', $1, true),
    set_config('enable_sort', 'off', true)
