"""The embedded search index of each query process: how it follows the topic of states."""

from deploy.grafana.board import WINDOW, Panel, Query, Row, quantiles, rate_by

_RUNBOOK = "SearchIndexBehind"

SEARCH_INDEX = Row(
    "Search index",
    [
        Panel(
            "Behind the topic of states",
            "s",
            "How long ago the index had all states. Near 0 while it follows; rises without Kafka.",
            _RUNBOOK,
            [Query("max by (instance) (search_index_behind_seconds)", "{{instance}}")],
        ),
        Panel(
            "States that the index lacks",
            "short",
            "Rises in an import, then falls.",
            _RUNBOOK,
            [Query("max by (instance) (search_index_lag_states)", "{{instance}}")],
        ),
        Panel(
            "States a second into the index",
            "ops",
            "Each process applies all of them.",
            _RUNBOOK,
            [rate_by("instance", "search_index_committed_states_total")],
        ),
        Panel(
            "Duration of a commit",
            "s",
            "Usually 20 to 100 ms. It takes processor time from searches.",
            _RUNBOOK,
            quantiles("search_index_commit_seconds"),
        ),
        Panel(
            "Rebuilds that began",
            "short",
            "In 10 minutes, by reason. A new process without a folder begins one; `topic` needs a look.",
            _RUNBOOK,
            [Query("sum by (reason) (increase(search_index_rebuilds_total[10m]))", "{{reason}}")],
        ),
        Panel(
            "Records a second that could not be read",
            "ops",
            "Usually 0: somebody else writes to the topic, or a publisher has a fault.",
            _RUNBOOK,
            [Query(f"sum(rate(search_index_unreadable_total[{WINDOW}]))", "unreadable")],
        ),
    ],
)
