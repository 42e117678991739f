"""The processes as the delivery has to know them: what each reads from its environment, how it is started."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from command_api.archive.settings import ArchiveSettings
from command_api.relay.settings import RelaySettings
from command_api.replay.settings import ReplaySettings
from command_api.settings import CommandSettings, MigrateSettings
from projector.settings import MigrateSettings as MigrateViewsSettings
from projector.settings import ProjectorSettings
from query_api.settings import QuerySettings
from shared.access.command import OperatorSettings
from shared.ops.development import development_fields
from shared.ops.secret import Secret
from shared.ops.settings import ProcessSettings

SERVICES: Mapping[str, type[ProcessSettings]] = {
    "command-api": CommandSettings,
    "relay": RelaySettings,
    "projector": ProjectorSettings,
    "query-api": QuerySettings,
}
JOBS: Mapping[str, type[ProcessSettings]] = {
    "migrate-event-store": MigrateSettings,
    "migrate-read-model": MigrateViewsSettings,
}
# They remove what no process needs any more, once an operator starts them.
FINISHING: Mapping[str, type[ProcessSettings]] = {
    "finish-event-store": MigrateSettings,
    "finish-read-model": MigrateViewsSettings,
}
SCHEDULED: Mapping[str, type[ProcessSettings]] = {"verify": ProjectorSettings}
# Only with the component `log-archive`.
OF_COMPONENTS: Mapping[str, type[ProcessSettings]] = {"archive-log": ArchiveSettings}
# An operator makes jobs of them, each for one command; without that there is no pod of theirs.
ON_DEMAND: Mapping[str, type[OperatorSettings]] = {"operator": ProjectorSettings, "replay": ReplaySettings}
PROCESSES = {**SERVICES, **JOBS}
_SETTINGS = {**PROCESSES, **FINISHING, **SCHEDULED, **ON_DEMAND, **OF_COMPONENTS}

OPS_PORT_SETTINGS = {
    "command-api": "COMMAND_OPS_PORT",
    "relay": "RELAY_OPS_PORT",
    "projector": "PROJECTOR_OPS_PORT",
    "query-api": "QUERY_OPS_PORT",
}
HTTP_PORT_SETTINGS = {"command-api": "COMMAND_PORT", "query-api": "QUERY_PORT"}

# Read by OpenTelemetry's SDK in each of them.
_TRACING = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}


def known_variables(process: str) -> set[str]:
    """Every variable that the process reads; a secret may be given as the path of a file."""
    fields = _SETTINGS[process].model_fields
    files = {f"{name.upper()}_FILE" for name, field in fields.items() if isinstance(field.default, Secret)}
    return {name.upper() for name in fields} | files | _TRACING


def default_of(process: str, variable: str) -> object:
    """What the process takes when the variable is not set."""
    default = _SETTINGS[process].model_fields[variable.lower()].default
    return default.read() if isinstance(default, Secret) else default


def needed_addresses(process: str, environment: Mapping[str, str]) -> set[str]:
    """The variables whose defaults suit one machine only: in a container each must be set, to some value."""
    local = {name.upper() for name, _, _ in development_fields(_SETTINGS[process])}
    if "NOTIFICATION_RECIPIENTS" in known_variables(process) and not environment.get(
        "NOTIFICATION_RECIPIENTS"
    ):
        # Without mails nobody needs them.
        local -= {"READ_URL", "NOTIFICATION_SENDER"}
    # The images listen on every address, and do not start there without access control.
    guarded = {"AUTH_ISSUER"} if process in SERVICES else set()
    return guarded | local


def roles_of(database: str) -> set[str]:
    """The roles that connect to a database, over all processes and jobs."""
    dsns = (
        default_of(process, name.upper())
        for process, settings in _SETTINGS.items()
        for name in settings.model_fields
        if name.endswith("_dsn")
    )
    found = (_role_and_database(str(dsn)).partition("/") for dsn in dsns)
    return {role for role, _, name in found if name == database}


def complaints_about(process: str, environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the names in an environment, and with who connects to which database."""
    unknown = sorted(environment.keys() - known_variables(process))
    missing = sorted(
        needed_addresses(process, environment) - {name.removesuffix("_FILE") for name in environment}
    )
    wrong = [
        f"{process}: {name} is not for role and database {_role_and_database(str(default_of(process, name)))}"
        for name, value in environment.items()
        if name.endswith("_DSN") and name in known_variables(process) and value
        if _role_and_database(value) != _role_and_database(str(default_of(process, name)))
    ]
    return [
        *(f"{process}: {name} is read by nobody" for name in unknown),
        *(f"{process}: {name} is not set" for name in missing),
        *wrong,
    ]


def _role_and_database(dsn: str) -> str:
    parts = urlsplit(dsn)
    return f"{parts.username}{parts.path}"
