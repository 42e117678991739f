-- The sessions of the catalogue's processes in this database: a pooler's count, too.
SELECT usename::text AS role, count(*)::int AS sessions
FROM pg_stat_activity
WHERE datname = current_database() AND usename IN ('catalogue_writer', 'catalogue_log_reader')
GROUP BY usename
ORDER BY usename
