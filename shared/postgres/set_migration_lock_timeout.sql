-- A DDL statement that waits for a long query blocks every later query of its table, so it must give up soon.
SET LOCAL lock_timeout = '10s'
