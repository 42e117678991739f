"""The independent checker: compares log, Kafka, views and HTTP with each other, and with the clients'
records.

Pure: it takes the evidence of `evidence.py` and returns sentences, one for each problem; no sentence means
that everything is as the contract promises. It uses no code of the product. The checks are in `checks/`,
those of single views in `checks/views/`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.end_to_end.checks import commands as commands_check
from tests.end_to_end.checks import digests as digests_check
from tests.end_to_end.checks import log as log_check
from tests.end_to_end.checks import mails as mails_check
from tests.end_to_end.checks import parked as parked_check
from tests.end_to_end.checks import reads as reads_check
from tests.end_to_end.checks import reservations as reservations_check
from tests.end_to_end.checks import topics as topics_check
from tests.end_to_end.checks import witnessed as witnessed_check
from tests.end_to_end.checks.history import History, Logged
from tests.end_to_end.checks.mails import Mails
from tests.end_to_end.checks.parked import Parked
from tests.end_to_end.checks.reads import Read
from tests.end_to_end.checks.views import VIEWS
from tests.end_to_end.kafka_topics import Published
from tests.end_to_end.ledger import Command


@dataclass
class Evidence:
    """All observations of one installation that is at rest."""

    log: list[Logged] = field(default_factory=list)
    log_id: str = ""
    streams: dict[str, int] = field(default_factory=dict)
    reservations: dict[tuple[str, str], str] = field(default_factory=dict)
    records: dict[str, list[Published]] = field(default_factory=dict)
    """By kind of topic: events, created, updated, deleted."""
    views: dict[str, Any] = field(default_factory=dict)
    """View -> the observations of its check."""
    parked: list[Parked] = field(default_factory=list)
    mails: Mails | None = None
    """None: this installation sends no mails."""
    by_id: dict[str, Read] = field(default_factory=dict)
    by_name: dict[tuple[str, str], Read] = field(default_factory=dict)
    """By ("slug" | "sku", value)."""
    listed: list[bytes] = field(default_factory=list)
    """The items of the list of all statuses, all pages."""
    witnessed: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    """Documents that readers saw before: (product id, version) -> bodies."""

    @cached_property
    def history(self) -> History:
        """The log, folded once for all checks; use it only if the log has no gaps."""
        return History(self.log, self.log_id)


def problems(evidence: Evidence, commands: Sequence[Command] | None, *, since_position: int = 0) -> list[str]:
    """The problems. Events after `since_position` must come from `commands`, if these are known."""
    found = [*log_check.problems(evidence.log, evidence.streams)]
    if found:
        return found  # nothing can be compared with a log that is itself wrong
    history = evidence.history
    return [
        *(commands_check.problems(history, commands, since_position) if commands is not None else ()),
        *reservations_check.problems(history, evidence.reservations),
        *topics_check.problems(history, evidence.records),
        *(
            problem
            for name, view in VIEWS.items()
            for problem in view.problems(history, evidence.views[name])
        ),
        *parked_check.problems(evidence.parked),
        *(mails_check.problems(history, evidence.mails, evidence.parked) if evidence.mails else ()),
        *(digests_check.problems(evidence.mails, evidence.parked) if evidence.mails else ()),
        *witnessed_check.problems(history, evidence.witnessed),
        *reads_check.problems(history, evidence.by_id, evidence.by_name, evidence.listed, since_position),
    ]
