"""PostgreSQL: first as our processes see it, then as its exporter does."""

from deploy.grafana.board import Board, Panel, Query, Row, quantiles, rate_by

POSTGRESQL = Board(
    "postgresql",
    "Catalogue: PostgreSQL",
    "**Is PostgreSQL the cause?** First what our processes see: pools and the append call. Then what the "
    "server says; that row needs the "
    "postgres_exporter.",
    [
        Row(
            "As our processes see it",
            [
                Panel(
                    "Connections in use",
                    "short",
                    "By pool. Compare with the size that the pool may have.",
                    "PoolSaturated",
                    [Query("sum by (pool) (db_pool_in_use)", "{{pool}}")],
                ),
                Panel(
                    "Connections that are open",
                    "short",
                    "By pool. All of them count towards `max_connections` of the server.",
                    "PoolSaturated",
                    [Query("sum by (pool) (db_pool_size)", "{{pool}}")],
                ),
                Panel(
                    "Share of the pool in use",
                    "percentunit",
                    "At 100 % the next caller waits.",
                    "PoolSaturated",
                    [Query("sum by (pool) (db_pool_in_use) / sum by (pool) (db_pool_size_max)", "{{pool}}")],
                ),
                Panel(
                    "Callers that wait for a connection",
                    "short",
                    "0 most of the time.",
                    "PoolSaturated",
                    [Query("sum by (pool) (db_pool_waiting)", "{{pool}}")],
                ),
                Panel(
                    "Wait for a connection (p99)",
                    "s",
                    "Includes connecting, if a new one was needed.",
                    "PoolSaturated",
                    quantiles("db_pool_wait_seconds", by="pool", shares=(0.99,)),
                ),
                Panel(
                    "Duration of an append call",
                    "s",
                    "One transaction with one flush to disk.",
                    "ErrorBudgetBurns-command-latency",
                    quantiles("event_append_duration_seconds"),
                ),
                Panel(
                    "Clock of the database minus ours",
                    "s",
                    "Ages and lags are wrong by as much.",
                    "ClockSkew",
                    [Query("max by (database, job) (clock_skew_seconds)", "{{database}} {{job}}")],
                ),
            ],
        ),
        Row(
            "As the server says (postgres_exporter)",
            [
                Panel(
                    "Connections by state",
                    "short",
                    "`idle in transaction` for long holds locks.",
                    "PoolSaturated",
                    [Query("sum by (state) (pg_stat_activity_count)", "{{state}}")],
                ),
                Panel(
                    "Transactions a second",
                    "ops",
                    "By database.",
                    "ErrorBudgetBurns-command-latency",
                    [rate_by("datname", "pg_stat_database_xact_commit")],
                ),
                Panel(
                    "Size of the databases",
                    "bytes",
                    "The event log only grows.",
                    "DiskFillsUp",
                    [Query("sum by (datname) (pg_database_size_bytes)", "{{datname}}")],
                ),
                Panel(
                    "Replication lag",
                    "s",
                    "How far replicas are behind.",
                    "ReplicationLate",
                    [Query("max by (instance) (pg_replication_lag_seconds)", "{{instance}}")],
                ),
                Panel(
                    "Age of what readers see",
                    "s",
                    "About a second. More: the replica of a query API is late, or no projector runs.",
                    "ReplicationLate",
                    [Query("max by (instance) (read_model_age_seconds)", "{{instance}}")],
                ),
                Panel(
                    "Failures of archiving",
                    "short",
                    "In 15 minutes.",
                    "ArchivingFails",
                    [Query("increase(pg_stat_archiver_failed_count[15m])", "{{instance}}")],
                ),
                Panel(
                    "Share of the disk that is free",
                    "percentunit",
                    "Below 15 % somebody is called. Needs the node_exporter.",
                    "DiskFillsUp",
                    [
                        Query(
                            'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay"}'
                            " / node_filesystem_size_bytes",
                            "{{instance}} {{mountpoint}}",
                        )
                    ],
                ),
            ],
        ),
    ],
)
