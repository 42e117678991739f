"""The two APIs: requests by rate, errors and duration, then what is behind them."""

from deploy.grafana.board import WINDOW, Board, Panel, Query, Row, quantiles, rate_by
from deploy.grafana.boards.access import access_row
from deploy.grafana.boards.event_feed import EVENT_FEED
from deploy.grafana.boards.exports import EXPORTS
from deploy.grafana.boards.in_process_cache import IN_PROCESS_CACHE
from deploy.grafana.boards.log_room import LOG_ROOM
from deploy.grafana.boards.reads_of_postgresql import READS_OF_POSTGRESQL
from deploy.grafana.boards.search_index import SEARCH_INDEX
from deploy.grafana.boards.waiting_readers import WAITING_READERS

_HTTP = "http_server_request_duration_seconds"


def _requests(job: str, objective: str, milliseconds: int) -> Row:
    only = f'{{job="{job}"}}'
    return Row(
        "Requests",
        [
            Panel(
                "Requests a second by route",
                "reqps",
                "What callers ask for. `unmatched`: addresses that do not exist.",
                "RequestsShed",
                [rate_by("route", f"{_HTTP}_count", only)],
            ),
            Panel(
                "Answers a second by status",
                "reqps",
                "4xx are the callers' errors, 5xx are ours. 0: the caller left.",
                f"ErrorBudgetBurns-{objective}-availability",
                [rate_by("status", f"{_HTTP}_count", only)],
            ),
            Panel(
                "Duration",
                "s",
                f"The objective: 99 % within {milliseconds} ms.",
                f"ErrorBudgetBurns-{objective}-latency",
                quantiles(_HTTP, only, shares=(0.5, 0.95, 0.99)),
            ),
            Panel(
                "Duration by route (p99)",
                "s",
                "Which route is slow.",
                f"ErrorBudgetBurns-{objective}-latency",
                quantiles(_HTTP, only, "route", (0.99,)),
            ),
            Panel(
                "Requests under way",
                "short",
                "Rises before the duration does.",
                "RequestsShed",
                [Query(f"sum by (instance) (http_server_requests_in_flight{only})", "{{instance}}")],
            ),
            _refused(job),
        ],
    )


def _refused(job: str) -> Panel:
    only = f'{{job="{job}"}}'
    return Panel(
        "Refused a second: overload and limits",
        "reqps",
        "503 because of overload, by reason; 429 because a caller asks too much, by the limit that refuses.",
        "RateLimitSurge",
        [
            rate_by("reason", "http_server_requests_shed_total", only),
            rate_by("budget", "rate_limit_decisions_total", f'{{job="{job}",result="refused"}}'),
            Query(f"sum(rate(caller_requests_refused_total{only}[{WINDOW}]))", "too many of one caller"),
        ],
    )


COMMAND_API = Board(
    "command-api",
    "Catalogue: command API",
    "**Can callers write, and how fast?** Requests, then what became of the commands, then the append: all "
    "waiting commands are written in "
    "one call, so the number of commands in a call rises with the load.",
    [
        _requests("command-api", "command", 250),
        access_row("command-api"),
        Row(
            "Commands",
            [
                Panel(
                    "Commands a second by result",
                    "ops",
                    "`conflict` and `refused` are right answers; `unknown`, `unavailable` and `failed` are "
                    "faults.",
                    "ConflictsSurge",
                    [rate_by("result", "commands_total")],
                ),
                Panel(
                    "Commands a second by kind",
                    "ops",
                    "Includes the operations of batches and imports.",
                    "CommandsFail",
                    [rate_by("command", "commands_total")],
                ),
                Panel(
                    "Idempotency keys a second",
                    "ops",
                    "`repeated`: a caller sent a request again and got the first answer. Many mean that "
                    "callers do not get answers.",
                    "OutcomesUnknown",
                    [rate_by("result", "idempotency_total")],
                ),
            ],
        ),
        Row(
            "Append",
            [
                Panel(
                    "Duration of an append call",
                    "s",
                    "One transaction with one flush to disk. If this is slow, everything is: look at "
                    "PostgreSQL.",
                    "ErrorBudgetBurns-command-latency",
                    quantiles("event_append_duration_seconds"),
                ),
                Panel(
                    "Commands in an append call",
                    "short",
                    "Near 256 the writer is at its limit.",
                    "ErrorBudgetBurns-command-latency",
                    quantiles("event_append_batch_commands"),
                ),
                Panel(
                    "Oldest command that waits for its call",
                    "s",
                    "A few milliseconds are usual.",
                    "ErrorBudgetBurns-command-latency",
                    [Query("max(event_append_waiting_oldest_seconds)", "oldest")],
                ),
                Panel(
                    "Append calls: commands a second by result",
                    "ops",
                    "`failed`: the call had no outcome for the command.",
                    "OutcomesUnknown",
                    [rate_by("result", "event_append_total")],
                ),
                Panel(
                    "Events a second by type",
                    "ops",
                    "What the pipeline must carry.",
                    "RelayStuck",
                    [rate_by("type", "events_appended_total")],
                ),
                *LOG_ROOM,
            ],
        ),
    ],
)

QUERY_API = Board(
    "query-api",
    "Catalogue: query API and cache",
    "**Can readers read, and how fast?** Requests, then the cache, then the tables behind it, then readers "
    "that wait for their own write, then the search index of each process. "
    "Without Redis all answers are the same, and slower.",
    [
        _requests("query-api", "query", 100),
        access_row("query-api"),
        IN_PROCESS_CACHE,
        Row(
            "Cache",
            [
                Panel(
                    "Reads a second from the cache by result",
                    "ops",
                    "`bypass`: Redis did not answer, PostgreSQL did.",
                    "CacheDown",
                    [rate_by("result", "cache_requests_total")],
                ),
                Panel(
                    "Share of hits",
                    "percentunit",
                    "Falls after a flush and in a rebuild, then rises.",
                    "RedisEvicts",
                    [
                        Query(
                            f'sum(rate(cache_requests_total{{result="hit"}}[{WINDOW}]))'
                            f" / sum(rate(cache_requests_total[{WINDOW}]))",
                            "hits",
                        )
                    ],
                ),
                Panel(
                    "Fills a second by result",
                    "ops",
                    "`older`: the cache had a newer document already, which is right.",
                    "CacheDown",
                    [rate_by("result", "cache_fills_total")],
                ),
                Panel(
                    "The cache began again",
                    "short",
                    "In 10 minutes. `older`: Redis came back without its last writes.",
                    "RedisLostWrites",
                    [Query("sum by (reason) (increase(cache_started_anew_total[10m]))", "{{reason}}")],
                ),
                Panel(
                    "Redis is not asked",
                    "bool",
                    "1: it failed several times in a row, so reads go to PostgreSQL at once.",
                    "CacheDown",
                    [Query("max by (instance) (cache_breaker_open)", "{{instance}}")],
                ),
            ],
        ),
        EXPORTS,
        EVENT_FEED,
        READS_OF_POSTGRESQL,
        WAITING_READERS,
        SEARCH_INDEX,
    ],
)
