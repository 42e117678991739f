"""Which pages are typed, on which system, and what a word such as NAME stands for on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.documents.console_blocks import REPOSITORY


@dataclass(frozen=True)
class Stop:
    """A page of a tour.

    `meant`: what to type for a word that the reader has to replace. `scene`: commands that make the state
    in which the page is read. `in_shell`: it is read in `make shell`, as operators' pages say.
    """

    page: Path
    meant: Mapping[str, str] = field(default_factory=dict)
    scene: Sequence[str] = ()
    in_shell: bool = False


@dataclass(frozen=True)
class Tour:
    """Pages that are read one after the other on one system.

    `options` are those of the `make up` before the first page; None if a page starts the system itself.
    """

    name: str
    options: str | None
    stops: list[Stop]

    def __str__(self) -> str:
        return self.name


def _page(name: str, *scene: str, in_shell: bool = False, **meant: str) -> Stop:
    return Stop(REPOSITORY / name, meant, scene, in_shell)


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


RUNBOOKS = Tour(
    "runbooks",
    "",
    [
        _runbook(
            "README", f'psql $READ_MODEL_MIGRATE_DSN -c "ALTER TABLE views.product_view_variant {_NOT_OURS}"'
        ),
        _runbook("ArchivingFails"),
        _runbook("CacheDown"),
        _runbook("ConsumerGroupEmpty"),
        _runbook("DeadLettersGrow"),
        _runbook("ProjectionPaused"),
        _runbook("DigestsLate"),
        _runbook("DiskFillsUp"),
        _runbook("LogPartitionsRunOut"),
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
        _runbook("StatesLate"),
        _runbook("VerificationOld"),
        _runbook("ViewDiffers", _PRODUCT, _TAMPER),
        _runbook("RebuildStuck"),
        _page("docs/events.md", in_shell=True),
    ],
)
SECURED = Tour("secured", "--secure", [_page("docs/access.md"), _runbook("TokensRefused")])
STACKS = Tour("stacks", None, [_page("docs/local-stack.md")])
# Each on a copy of its own: a reader begins with any of them.
CHANGES = [
    Tour(f"add {change}", None, [_page(f"docs/onboarding/{change}.md")])
    for change in ("field", "event", "projection", "endpoint")
]

TOURS = [FIRST_STEPS, CALLS, OPERATING, RUNBOOKS, SECURED, STACKS, *CHANGES]
