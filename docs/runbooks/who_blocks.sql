-- Sessions that hold locks for which others wait, and that wait for nobody themselves. Ask as superuser, in any database.
WITH RECURSIVE queue (waiting, blocker) AS (
    SELECT pid, unnest(pg_blocking_pids(pid)) FROM pg_stat_activity
    UNION
    SELECT waiting, unnest(pg_blocking_pids(blocker)) FROM queue
)
SELECT holder.pid, holder.application_name, holder.usename AS role, holder.client_addr AS address, holder.datname AS database,
       date_trunc('second', now() - holder.xact_start) AS since, holder.state, left(holder.query, 50) AS last_query,
       count(DISTINCT waiting) AS sessions_wait, string_agg(DISTINCT waits.application_name, ', ') AS who_waits
FROM queue
JOIN pg_stat_activity AS holder ON holder.pid = blocker
JOIN pg_stat_activity AS waits ON waits.pid = waiting
WHERE cardinality(pg_blocking_pids(blocker)) = 0
GROUP BY holder.pid, holder.application_name, holder.usename, holder.client_addr, holder.datname, holder.xact_start, holder.state,
         holder.query
ORDER BY sessions_wait DESC;
