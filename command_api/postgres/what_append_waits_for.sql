-- What a server process waits for now, and who holds the lock, if it is one. Any role may ask this about its own
-- processes; of the holder it sees the name of its application, and its state if it belongs to the same role.
SELECT own.wait_event_type, own.wait_event, holder.pid AS holder_pid,
       holder.application_name AS holder_name, holder.state AS holder_state
FROM pg_stat_activity own
LEFT JOIN pg_stat_activity holder ON holder.pid = ANY (pg_blocking_pids(own.pid))
WHERE own.pid = $1
LIMIT 1
