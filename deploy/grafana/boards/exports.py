"""Exports of the catalogue; they are few, and each may take minutes."""

from deploy.grafana.board import Panel, Query, Row

EXPORTS = Row(
    "Exports of the catalogue",
    [
        Panel(
            "Exports in 10 minutes",
            "short",
            "`cut`: the client read too slowly, or PostgreSQL was lost; the log has the reason.",
            "RequestsShed",
            [Query("sum by (format, outcome) (increase(exports_total[10m]))", "{{format}} {{outcome}}")],
        ),
    ],
)
