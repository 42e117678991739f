"""What the caches leave for PostgreSQL, and the bound in front of it."""

from deploy.grafana.board import Panel, Query, Row, rate_by

READS_OF_POSTGRESQL = Row(
    "Reads of PostgreSQL",
    [
        Panel(
            "Reads a second",
            "ops",
            "Rises after a flush: each product is read once by each process, however many readers it has.",
            "TableReadsRefused",
            [rate_by("reads", "table_reads_total")],
        ),
        Panel(
            "Reads that wait",
            "short",
            "Rises when Redis is down, or when PostgreSQL is slow.",
            "TableReadsRefused",
            [Query("sum by (reads) (table_reads_waiting)", "{{reads}}")],
        ),
        Panel(
            "Reads refused a second",
            "ops",
            "Answered 503, because too many waited.",
            "TableReadsRefused",
            [rate_by("reads", "table_reads_refused_total")],
        ),
    ],
)
