"""The names of the processes: one spelling in logs, metrics, traces and /readyz, and in what starts them.

Whoever looks for the command API in the log, in a trace and in Prometheus types the same word three times.
"""

from typing import Final

COMMAND_API: Final = "command-api"
RELAY: Final = "relay"
PROJECTOR: Final = "projector"
QUERY_API: Final = "query-api"
SERVICES: Final = (COMMAND_API, RELAY, PROJECTOR, QUERY_API)
"""They run until they are told to stop. The others end by themselves."""

MIGRATE: Final = "migrate"
REPLAY: Final = "replay"
ARCHIVE: Final = "log-archive"
REMAKE_TOPICS: Final = "remake-topics"
RENEW_LOG_ID: Final = "renew-log-id"
IMPORT: Final = "import"
SEED: Final = "seed"
EXPORT: Final = "export"
PROJECTOR_OPERATOR: Final = "projector-operator"
PROJECTOR_REBUILD: Final = "projector-rebuild"
