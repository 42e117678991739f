"""Which pages are typed, on which system, and what a word such as NAME stands for on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.documents.console_blocks import REPOSITORY


@dataclass(frozen=True)
class Stop:
    """A page of a tour.

    `meant`: what to type for a word that the reader has to replace. `scene`: commands that make the state
    in which the page is read. `in_shell`: it is read in `make shell`, as operators' pages say. `part`: only
    the blocks with this mark are read; None: those without one.
    """

    page: Path
    meant: Mapping[str, str] = field(default_factory=dict)
    scene: Sequence[str] = ()
    in_shell: bool = False
    part: str | None = None


@dataclass(frozen=True)
class Tour:
    """Pages that are read one after the other on one system.

    `options` are those of the `make up` before the first page, `settings` its environment; None if a page
    starts the system itself.
    """

    name: str
    options: str | None
    stops: list[Stop]
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


# Pages about lost servers: a test types them while clients write and read, and checks what is left.
TYPED_UNDER_LOAD = {
    REPOSITORY / "docs" / "recovery" / "kafka-lost.md": "tests/end_to_end/test_kafka_lost.py",
    REPOSITORY / "docs" / "backup.md": "tests/end_to_end/test_log_restored.py",
    REPOSITORY / "docs" / "recovery" / "log-restored.md": "tests/end_to_end/test_log_restored.py",
    REPOSITORY / "docs" / "recovery" / "read-model-lost.md": "tests/end_to_end/test_read_model_lost.py",
    REPOSITORY / "docs" / "recovery" / "partition-corrupted.md": (
        "tests/end_to_end/test_partition_corrupted.py"
    ),
    REPOSITORY / "docs" / "recovery" / "redis.md": "tests/end_to_end/test_redis_lost.py",
}


def _page(name: str, *scene: str, in_shell: bool = False, part: str | None = None, **meant: str) -> Stop:
    return Stop(REPOSITORY / name, meant, scene, in_shell, part)


_PRODUCT = (
    """export ID=$(curl -s http://127.0.0.1:8000/v1/products -H 'Content-Type: application/json' """
    """-d '{"name": "Ocean Blue Shirt", "variants": [{"sku": "OBS-M", "price": """
    """{"amount": "50.00", "currency": "USD"}}]}' | grep -oE '[0-9a-f]+(-[0-9a-f]+){4}')"""
)

FIRST_STEPS = Tour("first steps", None, [_page("docs/quickstart.md")])
CALLS = Tour("calls", "", [_page("README.md"), _page("docs/api.md")])
OPERATING = Tour(
    "operating",
    "",
    [_page("docs/operations.md", "python -m command_api seed --count 50", _PRODUCT, in_shell=True)],
)
_NOT_OURS = "ADD CONSTRAINT sku_is_ours CHECK (sku NOT LIKE 'LMP-%') NOT VALID"
# The row may not be there yet.
_TAMPER = (
    "until psql $READ_MODEL_MIGRATE_DSN -Atc"
    """ "UPDATE views.product_view SET name = 'Tampered' WHERE product_id = '$ID' RETURNING 'done'" """
    "| grep done; do :; done"
)


def _runbook(name: str, *scene: str, **meant: str) -> Stop:
    return _page(f"docs/runbooks/{name}.md", *scene, in_shell=True, **({"NAME": "product_view"} | meant))


_LOCKS = (
    "SELECT pid FROM pg_locks WHERE relation = 'views.stock_item'::regclass AND mode = '$1' AND granted = $2"
)
# A report that forgets to end its transaction, and somebody who waits for it.
_HELD_LOCK = (
    "psql_as() { PGAPPNAME=$1 psql $READ_MODEL_MIGRATE_DSN >/dev/null 2>&1; }",
    "(echo 'BEGIN; LOCK TABLE views.stock_item;'; exec tail -f /dev/null) | psql_as nightly-report &",
    f'locks() {{ psql $READ_MODEL_MIGRATE_DSN -Atc "{_LOCKS}"; }}',
    "until locks AccessExclusiveLock true | grep .; do :; done",
    "echo 'TABLE views.stock_item;' | psql_as stock-taking &",
    "until locks AccessShareLock false | grep .; do :; done",
)
_HOLDER = "(SELECT pid FROM pg_stat_activity WHERE application_name = 'nightly-report')"
_CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 10"
    " -keyout key.pem -out certificate.pem"
)
RUNBOOKS = Tour(
    "runbooks",
    "",
    [
        _runbook(
            "README", f'psql $READ_MODEL_MIGRATE_DSN -c "ALTER TABLE views.product_view_variant {_NOT_OURS}"'
        ),
        _page(
            "docs/runbooks/README.md",
            *_HELD_LOCK,
            in_shell=True,
            part="a session that holds a lock",
            PID=_HOLDER,
        ),
        _runbook("ArchivingFails"),
        _runbook("CacheDown"),
        _runbook("CertificateExpires", _CERTIFICATE, FILE="certificate.pem"),
        _runbook("ConsumerGroupEmpty"),
        _runbook("DeadLettersGrow"),
        _runbook("RedisLostWrites"),
        _runbook("ProjectionPaused"),
        _runbook("DigestsLate"),
        _runbook("DiskFillsUp"),
        _runbook("LogPartitionsRunOut"),
        _runbook("LogFillsUp"),
        _runbook("MailOutcomeUnknown"),
        _runbook("MailsFail"),
        _runbook("NoScrape"),
        _runbook("PoolSaturated"),
        _runbook("ProductsParked"),
        _runbook("ProjectionBreakerOpen"),
        _runbook("ProjectionLate"),
        _runbook("ProjectionRetries"),
        _runbook("ProjectionStopped"),
        _runbook("ReadinessCheckFails"),
        _runbook("RelayMissing"),
        _runbook("ReplicationLate"),
        _runbook("SearchIndexBehind"),
        _runbook("StatesLate"),
        _runbook("VerificationOld"),
        _runbook("ViewDiffers", _PRODUCT, _TAMPER),
        _runbook("RebuildStuck"),
        _page("docs/events.md", in_shell=True),
    ],
)
SECURED = Tour(
    "secured",
    "--secure",
    [
        _page("docs/access.md"),
        _runbook("TokensRefused"),
        _runbook("IssuerKeysMissing"),
        _page("docs/operations.md", in_shell=True, part="access control"),
    ],
)
_FAILED_MAILS = "python -m projector dead-letters list --projection notifications | grep -c mail-not-sent"
_WITH_A_SKU = (
    '{"name": "Kettle", "variants": [{"sku": "K-\'$n\'", "price": {"amount": "2.00", "currency": "EUR"}}]}'
)
MAILS = Tour(
    "mails",
    "",
    [
        _page(
            "docs/notifications.md",
            "for n in 1 2; do curl http://127.0.0.1:8000/v1/products -H 'Content-Type: application/json'"
            f" -d '{_WITH_A_SKU}'; done",
            f"until {_FAILED_MAILS} | grep -x 2; do :; done",
            "python -m deploy.local.mail_catcher $SMTP_PORT .local/mail >/dev/null 2>&1 &",
            "until (echo >/dev/tcp/127.0.0.1/$SMTP_PORT) 2>/dev/null; do :; done",
            in_shell=True,
            **{"7": "1"},
        )
    ],
    # Nobody listens there before the second mail has failed.
    {
        "SMTP_URL": "smtp://127.0.0.1:11025",
        "NOTIFICATION_RECIPIENTS": "anna@example.com",
        "NOTIFICATION_RETRY_DELAYS": "100ms",
    },
)
# Each turn makes a request, until the receiver has a trace.
_TRACE = (
    "$(until .venv/bin/python -m deploy.local traces | grep -oE '^[0-9a-f]{8,}' | head -n 1 | grep .;"
    " do curl -s http://127.0.0.1:8001/v1/products >/dev/null; done)"
)
STACKS = Tour(
    "stacks",
    None,
    [
        _page(
            "docs/migrations.md",
            "sed -i 's/^BEGIN$/BEGIN -- faster/' projector/postgres/functions/differences.sql",
        ),
        _page("docs/local-stack.md", **{"4bf92f35": _TRACE}),
    ],
)
# Each on a copy of its own: a reader begins with any of them.
CHANGES = [
    Tour(f"add {change}", None, [_page(f"docs/onboarding/{change}.md")])
    for change in ("field", "event", "projection", "endpoint")
]
WORKING = Tour("working on the code", None, [_page("docs/testing.md"), _page("docs/chaos.md")])

TOURS = [FIRST_STEPS, CALLS, OPERATING, RUNBOOKS, SECURED, MAILS, STACKS, *CHANGES, WORKING]
