"""Operators' endpoints on the operations port: the same actions as the commands, for people without a shell.

    GET  /dead-letters?projection=&product=&class=            parked products and records; `x-total-count`
    GET  /dead-letters/records?projection=&product=&letter=   the parked records; `x-total-count`
    POST /dead-letters/retry     a `Change`: which dead letters, from_log, resend_unknown, dry_run
    POST /dead-letters/discard   a `Change`: which dead letters, first_only, dry_run, reason
                                 both: all that match, however many; `x-done-count`, `x-failed-count`,
                                 and `x-parked-count`: how many match afterwards
    POST /dead-letters/park      a `ParkOrder`
    POST /projections/pause      a `Wish` with its reason
    POST /projections/resume     a `Wish`
    GET  /audit?projection=&actor=&since=&limit=&cursor=      the audit log, the newest first

`OPERATOR_SCOPES` says which scope each needs. While access control is off the port listens on loopback only.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args
from uuid import UUID

from msgspec import Struct

from projector.applying.dead_letters import Action
from projector.applying.records import ErrorClass
from projector.audit.ports import Choice
from projector.errors import Unavailable
from projector.operators.assembly import Operations
from projector.operators.auditing import ACTIONS_PER_ANSWER_MAX, Auditing, time_with_zone
from projector.operators.http.exchange import Answer, Asked, Work, endpoint, read
from projector.operators.pausing import Pausing
from projector.parking.answers import Result
from projector.parking.dead_letters import DeadLetters, Listed, Summary
from projector.parking.ports import Narrowed
from shared.access.caller import Caller
from shared.access.operator_actions import bounded_actor, bounded_reason, needed_reason
from shared.access.scopes import Scope
from shared.ops.http.asgi import Handler
from shared.ops.plain_values import canonical_uuid, whole_number

OPERATOR_SCOPES = {
    ("GET", "/dead-letters"): Scope.OPS_READ,
    ("GET", "/dead-letters/records"): Scope.OPS_READ,
    ("POST", "/dead-letters/retry"): Scope.OPS_WRITE,
    ("POST", "/dead-letters/discard"): Scope.OPS_WRITE,
    ("POST", "/dead-letters/park"): Scope.OPS_WRITE,
    ("POST", "/projections/pause"): Scope.OPS_WRITE,
    ("POST", "/projections/resume"): Scope.OPS_WRITE,
    ("GET", "/audit"): Scope.OPS_READ,
}
_ACTIONS_PER_ANSWER = 50
_ANONYMOUS = "operations port"
_AUDIT_PARAMETERS = {"projection", "actor", "since", "limit", "cursor"}


class Change(Struct, forbid_unknown_fields=True, rename={"dead_letter": "letter", "error_class": "class"}):
    """Which dead letters, and the options of the action."""

    projection: str
    product: UUID | None = None
    dead_letter: int | None = None
    error_class: ErrorClass | None = None
    all: bool = False
    from_log: bool = False
    resend_unknown: bool = False
    first_only: bool = False
    dry_run: bool = False
    reason: str = ""
    actor: str | None = None

    def narrowed(self) -> Narrowed:
        """Raises `ValueError` if nothing is selected and `all` is not set."""
        if not (self.product or self.dead_letter is not None or self.error_class or self.all):
            raise ValueError("choose dead letters with product, letter, class or all")
        return Narrowed(self.product, self.dead_letter, self.error_class)


class ParkOrder(Struct, forbid_unknown_fields=True):
    """One record that stops a projection."""

    projection: str
    partition: int
    offset: int
    reason: str
    actor: str | None = None


class Wish(Struct, forbid_unknown_fields=True):
    """Pause or resume."""

    projection: str
    reason: str = ""
    actor: str | None = None


def operator_endpoints(operations: Operations) -> Mapping[tuple[str, str], Handler]:
    """By (method, path), for `operations_app`."""
    of_all = _looking(operations.dead_letters) | _changing(operations.dead_letters)
    of_all |= _pausing(operations.pausing) | _auditing(operations.auditing)
    return {route: endpoint(work) for route, work in of_all.items()}


def _looking(dead_letters: DeadLetters) -> dict[tuple[str, str], Work]:

    async def listed(asked: Asked) -> Any:
        query = asked.query
        product = canonical_uuid(query["product"]) if "product" in query else None
        narrowed = Narrowed(product, error_class=_known_class(query.get("class")))
        return _listed(await dead_letters.listed(query.get("projection"), narrowed))

    async def records(asked: Asked) -> Any:
        query = asked.query
        product = canonical_uuid(query["product"]) if "product" in query else None
        dead_letter = whole_number(query["letter"]) if "letter" in query else None
        return _listed(await dead_letters.show(query.get("projection"), Narrowed(product, dead_letter)))

    return {("GET", "/dead-letters"): listed, ("GET", "/dead-letters/records"): records}


def _changing(dead_letters: DeadLetters) -> dict[tuple[str, str], Work]:
    async def retry(asked: Asked) -> Any:
        change = read(Change, asked.body)
        action = _action("retry", change, asked)
        results: list[Result] = []
        summary = await dead_letters.retry(
            change.projection,
            change.narrowed(),
            action,
            results.extend,
            from_log=change.from_log,
            resend_unknown=change.resend_unknown,
            is_dry=change.dry_run,
        )
        return _summed_up(results, summary)

    async def discard(asked: Asked) -> Any:
        change = read(Change, asked.body)
        action = _action("discard", change, asked, needs_reason=True)
        results: list[Result] = []
        summary = await dead_letters.discard(
            change.projection,
            change.narrowed(),
            action,
            results.extend,
            first_only=change.first_only,
            is_dry=change.dry_run,
        )
        return _summed_up(results, summary)

    async def park(asked: Asked) -> Any:
        order = read(ParkOrder, asked.body)
        action = _action("park", order, asked, needs_reason=True)
        await dead_letters.park(order.projection, order.partition, order.offset, action)
        return {"parked": True}

    return {
        ("POST", "/dead-letters/retry"): retry,
        ("POST", "/dead-letters/discard"): discard,
        ("POST", "/dead-letters/park"): park,
    }


def _pausing(pausing: Pausing) -> dict[tuple[str, str], Work]:
    async def pause(asked: Asked) -> Any:
        wish = read(Wish, asked.body)
        await pausing.pause(wish.projection, _action("pause", wish, asked, needs_reason=True))
        return {"projection": wish.projection, "is_paused": True}

    async def resume(asked: Asked) -> Any:
        wish = read(Wish, asked.body)
        await pausing.resume(wish.projection, _action("resume", wish, asked))
        return {"projection": wish.projection, "is_paused": False}

    return {("POST", "/projections/pause"): pause, ("POST", "/projections/resume"): resume}


def _auditing(auditing: Auditing) -> dict[tuple[str, str], Work]:
    async def audit(asked: Asked) -> Any:
        query = asked.query
        if unknown := query.keys() - _AUDIT_PARAMETERS:
            raise ValueError(f"no such parameter: {', '.join(sorted(unknown))}")
        actions_max = whole_number(query["limit"]) if "limit" in query else _ACTIONS_PER_ANSWER
        if not 1 <= actions_max <= ACTIONS_PER_ANSWER_MAX:
            raise ValueError(f"limit must be from 1 to {ACTIONS_PER_ANSWER_MAX}")
        choice = Choice(
            query.get("projection"),
            query.get("actor"),
            time_with_zone(query["since"]) if "since" in query else None,
            whole_number(query["cursor"]) if "cursor" in query else None,
        )
        return await auditing.recorded(choice, actions_max)

    return {("GET", "/audit"): audit}


def _listed(listed: Listed) -> Answer:
    return Answer(listed.shown, ((b"x-total-count", b"%d" % listed.total),))


def _summed_up(results: Sequence[Result], summary: Summary) -> Answer:
    """Raises `Unavailable` if an outage ended the run early; the text says how many were done before."""
    if summary.stopped_by is not None:
        raise Unavailable(
            f"{summary.stopped_by}; before it {summary.done} done, {summary.failed} failed. Try again later"
        )
    counts = {"x-done-count": summary.done, "x-failed-count": summary.failed}
    if summary.parked_now is not None:
        counts["x-parked-count"] = summary.parked_now
    return Answer(results, [(name.encode(), b"%d" % count) for name, count in counts.items()])


def _known_class(name: str | None) -> str | None:
    known = get_args(ErrorClass)
    if name is not None and name not in known:
        raise ValueError(f"no such error class: {name}; there are {', '.join(known)}")
    return name


def _action(
    name: str, body: Change | ParkOrder | Wish, asked: Asked, *, needs_reason: bool = False
) -> Action:
    reason = needed_reason(body.reason) if needs_reason else bounded_reason(body.reason)
    return Action(_actor(body.actor, asked.caller), name, reason)


def _actor(named: str | None, caller: Caller | None) -> str:
    """With access control the subject of the token. Raises `ValueError` if the body names somebody else."""
    if caller is None:
        return _ANONYMOUS if named is None else bounded_actor(named)
    if named not in (None, caller.subject):
        raise ValueError(f"the actor is {caller.subject}, the subject of the access token: leave it out")
    return caller.subject
