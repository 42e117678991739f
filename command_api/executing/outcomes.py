"""Counts commands by their outcome: the first question of an operator is which of them fail, and how."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from command_api.domain import commands as c
from command_api.domain import errors
from command_api.executing.ports import OutcomeUnknown, StoreOverloaded, StoreUnavailable
from shared.ops.metrics.commands import COMMANDS, IDEMPOTENCY
from shared.ops.metrics.requests import HTTP_REQUESTS_SHED

_NAMES: dict[type[c.Command], str] = {
    c.CreateProduct: "create",
    c.UpsertProduct: "upsert",
    c.ChangeDetails: "change-details",
    c.PutVariant: "put-variant",
    c.RemoveVariant: "remove-variant",
    c.ChangePrice: "change-price",
    c.PublishProduct: "publish",
    c.ArchiveProduct: "archive",
    c.RestoreProduct: "restore",
    c.DeleteProduct: "delete",
}
# error -> result; the first match counts, so the classes come before those that they belong to.
_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (errors.VersionDoesNotMatch, "conflict"),
    (errors.TooManyConflicts, "conflict"),
    (errors.SlugTaken, "conflict"),
    (errors.SkuTaken, "conflict"),
    (errors.Refused, "refused"),
    (StoreUnavailable, "unavailable"),
    (StoreOverloaded, "unavailable"),
    (OutcomeUnknown, "unknown"),
    (Exception, "failed"),
)
_SUCCESSES = {True: "appended", False: "unchanged", None: "repeated"}
# Bound once: to look up a child by its labels costs more than to count.
_counts = {
    (command, result): COMMANDS.labels(name, result).inc
    for command, name in _NAMES.items()
    for result in {*_SUCCESSES.values(), *(result for _, result in _FAILURES)}
}
_new, _repeated, _mismatch, _waiting = (
    IDEMPOTENCY.labels(result).inc for result in ("new", "repeated", "mismatch", "waiting")
)


class _Answer(Protocol):
    """`was_changed` None: the first answer to a key was repeated."""

    @property
    def was_changed(self) -> bool | None: ...


A = TypeVar("A", bound=_Answer)


async def counted(command: c.Command, execution: Awaitable[A], *, has_key: bool) -> A:
    """The answer of the execution; counts it, or its error, whoever's fault it is."""
    try:
        answer = await execution
    except Exception as error:
        result = next(result for kind, result in _FAILURES if isinstance(error, kind))
        _counts[type(command), result]()
        if isinstance(error, errors.KeyReused):
            _mismatch()
        if isinstance(error, StoreOverloaded):
            HTTP_REQUESTS_SHED.labels(error.reason).inc()
        raise
    _counts[type(command), _SUCCESSES[answer.was_changed]]()
    if has_key:
        (_repeated if answer.was_changed is None else _new)()
    return answer


def count_waiting() -> None:
    """The first command with this key is still running."""
    _waiting()
