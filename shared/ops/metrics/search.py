"""Query API: the embedded search index, and how it follows the topic of states."""

from shared.ops.metrics.declare import SLOW_SECONDS, Label, counter, gauge, histogram

SEARCH_INDEX_LAG_STATES = gauge(
    "search_index_lag_states",
    "states",
    "States that the live search index lacks, counted in offsets of the topic, so about a tenth too high.",
    is_unknown=True,
)
SEARCH_INDEX_BEHIND_SECONDS = gauge(
    "search_index_behind_seconds",
    "seconds",
    "How long ago the live search index had all states that the topic had; near 0 while it follows.",
    is_unknown=True,
)
SEARCH_INDEX_COMMIT_SECONDS = histogram(
    "search_index_commit_seconds",
    "seconds",
    "Duration of one commit of a search index, until searches show it.",
    buckets=SLOW_SECONDS,
)
SEARCH_INDEX_COMMITTED_STATES = counter(
    "search_index_committed_states_total", "states", "States that were committed to a search index."
)
SEARCH_INDEX_REBUILDS = counter(
    "search_index_rebuilds_total",
    "rebuilds",
    "Rebuilds of the search index that began.",
    Label(
        "reason",
        "empty: a new folder; topic: the topic or its log is another one; old: the index missed deletions; "
        "operator",
        ("empty", "topic", "old", "operator"),
    ),
)
SEARCH_INDEX_UNREADABLE = counter(
    "search_index_unreadable_total", "records", "Records of the topic of states that could not be read."
)
