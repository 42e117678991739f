-- The session that has the lock of a projection's rebuild, for people.
-- $1 projection
SELECT held.pid, coalesce(host(session.client_addr), 'this machine') AS client, session.backend_start
FROM pg_locks AS held
JOIN pg_database AS database ON database.oid = held.database
LEFT JOIN pg_stat_activity AS session USING (pid)
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1 AND database.datname = current_database()
  AND ((held.classid::bigint << 32) | held.objid::bigint) = hashtextextended('rebuild ' || $1::text, 0)
