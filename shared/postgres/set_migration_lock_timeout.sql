-- A DDL statement that queues behind a long query blocks every later query of its table: give up soon instead.
SET LOCAL lock_timeout = '10s'
