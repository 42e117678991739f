"""What `make up` prints when all is ready."""

from deploy.local.issued_tokens import ROLES, TOKEN_FILE_SECONDS
from deploy.local.settings import PROCESSES, StackSettings


def welcome(settings: StackSettings, seconds: float) -> str:
    """The addresses of everything, and first commands to try."""
    ports = settings.ports
    mails = f"  mails         {settings.mails}\n" if settings.starts_mail else ""
    left_out = "".join(
        f"  not started   {name}; run it in `make shell`: .venv/bin/python -m {' '.join(process.arguments)}\n"
        for name, process in PROCESSES.items()
        if name in settings.without
    )
    price = '{"amount": "50.00", "currency": "USD"}'
    body = f'{{"name": "Ocean Blue Shirt", "variants": [{{"sku": "OBS-M", "price": {price}}}]}}'
    bearer = ' -H "Authorization: Bearer $TOKEN"' if settings.is_secure else ""
    posting = f"http://127.0.0.1:{ports['COMMAND_PORT']}/v1/products -H 'Content-Type: application/json'"
    return f"""
Ready after {seconds:.0f} s. Ctrl-C stops everything.

  command API   http://127.0.0.1:{ports["COMMAND_PORT"]}/docs
  query API     http://127.0.0.1:{ports["QUERY_PORT"]}/docs
  console       http://127.0.0.1:{ports["QUERY_PORT"]}/console
  operations    http://127.0.0.1:{ports["COMMAND_OPS_PORT"]}/metrics (command API),
                {ports["QUERY_OPS_PORT"]} (query API), {ports["PROJECTOR_OPS_PORT"]} (projector),
                {ports["RELAY_OPS_PORT"]} (relay)
  logs          {settings.logs}
{mails}{_traces(settings)}{_prometheus(settings)}{_tokens(settings)}{left_out}
Try:
{_first_commands(settings)}  curl -i{bearer} {posting} -d '{body}'
  curl -i{bearer} http://127.0.0.1:{ports["QUERY_PORT"]}/v1/products/by-sku/OBS-M
"""


def _traces(settings: StackSettings) -> str:
    if not settings.starts_traces:
        return ""
    return (
        f"  traces        {settings.traces.parent}; .venv/bin/python -m deploy.local traces lists them,\n"
        "                traces TRACE_ID shows one, traces --slowest 10 the slowest\n"
    )


def _prometheus(settings: StackSettings) -> str:
    if settings.starts_prometheus:
        return f"  prometheus    http://127.0.0.1:{settings.ports['PROMETHEUS_PORT']}/alerts\n"
    if settings.is_observed:
        return "  prometheus    not started: there is no such program on PATH\n"
    return ""


def _tokens(settings: StackSettings) -> str:
    if not settings.starts_issuer:
        return ""
    hours = TOKEN_FILE_SECONDS // 3600
    roles = "".join(f"    {role:<11} {' '.join(scopes)}\n" for role, scopes in ROLES.items())
    return (
        f"  issuer        http://127.0.0.1:{settings.ports['ISSUER_PORT']} (for development only)\n"
        f"  tokens        {settings.tokens}, a file for each role; they live for {hours} hours, and are new"
        f" every hour:\n{roles}"
    )


def _first_commands(settings: StackSettings) -> str:
    """The line that the other commands need before them."""
    if not settings.starts_issuer:
        return ""
    tokens = settings.tokens.relative_to(settings.root)
    return f"  export TOKEN=$(cat {tokens}/editor) CATALOGUE_TOKEN_FILE={tokens}/importer\n"
