"""The reservation protocol over several shards, as processes that yield one call after the other.

Claim each new name on its own shard; append on the product's shard, which carries the claim; then confirm,
and free what was given up. Whoever finds a row that is not settled asks the log of the product. If the row is
pending, its claim is fenced first: after that the append either is in the log, or never will be.
No decision is by time.

`Faults` plant known mistakes, so that a test can see that they are found.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.sharding import operations as o
from tests.sharding.commands import Command, Impossible, decide, key_names, names_of
from tests.sharding.faults import Faults
from tests.sharding.settling import TRIES_MAX, Process, finish, settle


class _Again(Exception):
    """This attempt is certainly not written; another one may be."""


class _Done(Exception):
    """The command has been written by an earlier run."""


class _Taken(Exception):
    """Another live product holds the name."""


def client(command: Command, faults: Faults, runs: int = 1) -> Process:
    """Sends a command, and the same one again while the answer is not clear, `runs` times in all.

    "unavailable" says that this run wrote nothing; after a run with an unknown outcome it says nothing of the
    command.
    """
    unavailable = "unavailable"
    for run in range(runs):
        yield o.Answered(command.key, "unknown")
        answer = yield from execute(command, run, faults, unavailable)
        if answer not in ("unknown", "unavailable"):
            return
        unavailable = answer


def execute(command: Command, run: int, faults: Faults, unavailable: str) -> Generator[o.Operation, Any, str]:
    """One request: an answer, and then what can be done after it."""
    product_id = command.product_id(run, has_home=Faults.A_KEY_HAS_NO_HOME not in faults)
    for attempt in range(TRIES_MAX):
        claim = f"{command.key}.{run}.{attempt}"
        try:
            if command.kind == "upsert":
                product_id = yield from _product_of_upsert(command, run, faults)
            attempted = _Attempt(command, product_id, claim, faults, unavailable)
            return (yield from attempted.run())
        except _Again:
            continue
        except _Done:
            return (yield from _answer(command, "done"))
        except (_Taken, Impossible) as refusal:
            if command.kind == "upsert":
                continue  # its product was renamed or deleted, or the slug was taken: it is looked up again
            return (yield from _refuse(command, product_id, refusal, faults, unavailable))
        except o.Lost:
            # Before the append was sent: what was claimed is left to the sweeper.
            break
    return (yield from _answer(command, unavailable))


def _refuse(
    command: Command, product_id: UUID, refusal: Exception, faults: Faults, unavailable: str
) -> Generator[o.Operation, Any, str]:
    """What stands in the way may be an earlier run of this command, whose append has come late."""
    try:
        if Faults.REFUSES_ITS_OWN_COMMAND not in faults and (yield _find_key(command, product_id)):
            return (yield from _answer(command, "done"))
    except o.Lost:
        return (yield from _answer(command, unavailable))
    if isinstance(refusal, _Taken):
        return (yield from _answer(command, "taken", str(refusal)))
    return (yield from _answer(command, "refused", str(refusal)))


def _product_of_upsert(command: Command, run: int, faults: Faults) -> Generator[o.Operation, Any, UUID]:
    """The product that has the slug, else a new one. Raises `_Done` and `_Again`."""
    for name in key_names(command.key):
        settled = yield from settle(name, faults)
        if settled.holder is not None:
            raise _Done
        if not settled.is_known:
            raise _Again
    row: o.Row | None = yield o.ReadName(command.names[0])
    if row is not None:
        stream: o.Stream = yield o.Load(row.product_id)
        if command.names[0] in names_of(stream.events):
            return row.product_id
    return command.product_id(run, has_home=True)


def _find_key(command: Command, product_id: UUID) -> o.FindKey:
    return o.FindKey(o.shard_of_product(product_id), command.key)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt of a command, with a claim of its own: a claim is never made twice."""

    _command: Command
    _product_id: UUID
    _claim: str
    _faults: Faults
    _unavailable: str

    def run(self) -> Generator[o.Operation, Any, str]:
        """The answer. Raises `_Again`, `_Taken`, `Impossible` and `Lost`: then nothing was written."""
        if (yield _find_key(self._command, self._product_id)):
            return (yield from _answer(self._command, "done"))
        stream: o.Stream = yield o.Load(self._product_id)
        events = decide(self._command, stream.events, self._claim)
        before, after = names_of(stream.events), names_of((*stream.events, *events))
        wanted, given_up = sorted(after - before), sorted(before - after)
        floor = yield from self._claim_all(wanted)
        if Faults.CONFIRMS_BEFORE_THE_APPEND in self._faults:
            for name in wanted:
                yield o.Confirm(name, self._claim)
        written = yield from self._append(stream, events, wanted, given_up, floor)
        if written is None:
            return (yield from _answer(self._command, "unknown"))
        if written == "duplicate":
            yield from self._abandon(wanted)
            return (yield from _answer(self._command, "done"))
        if written != "":
            yield from self._abandon(wanted)
            if written == "lost":
                return (yield from _answer(self._command, self._unavailable))
            raise _Again
        answer = yield from _answer(self._command, "done")
        yield from self._settle_own(wanted, given_up)
        return answer

    def _claim_all(self, wanted: list[str]) -> Generator[o.Operation, Any, int]:
        floor = 0
        for place, name in enumerate(wanted):
            try:
                floor = max(floor, (yield from self._claim_one(name)))
            except (_Taken, _Again):
                yield from self._abandon(wanted[:place])
                raise
        return 0 if Faults.POSITIONS_ARE_NOT_RAISED in self._faults else floor

    def _claim_one(self, name: str) -> Generator[o.Operation, Any, int]:
        for _ in range(TRIES_MAX):
            claimed = yield o.Claim(name, self._product_id, self._claim)
            if isinstance(claimed, o.Claimed):
                return claimed.floor
            settled = yield from settle(name, self._faults)
            if settled.holder == self._product_id:
                raise _Again  # it was loaded before another command gave it this name
            if settled.holder is not None:
                raise _Taken(name)
        raise _Again

    def _append(
        self,
        stream: o.Stream,
        events: tuple[o.Event, ...],
        wanted: list[str],
        given_up: list[str],
        floor: int,
    ) -> Generator[o.Operation, Any, str | None]:
        """ "": it is written; "lost" or the reason of a refusal: it certainly is not; None: nobody could be
        asked.
        """
        has_claim = bool(wanted or given_up)
        if Faults.NO_OPEN_CLAIM_FOR_A_RELEASE in self._faults:
            has_claim = bool(wanted)
        claim = self._claim if has_claim else None
        if claim is not None and Faults.APPENDS_WITHOUT_ITS_CLAIM in self._faults:
            claim = f"another than {claim}"
        version, key = len(stream.events), self._command.key
        try:
            outcome = yield o.Append(self._product_id, version, events, key, claim, floor)
        except o.Lost:
            if Faults.ANSWERS_WITHOUT_LOOKING in self._faults:
                return "lost"
            return (yield from self._find_written()) if claim is not None else None
        return outcome.reason if isinstance(outcome, o.Refused) else ""

    def _find_written(self) -> Generator[o.Operation, Any, str | None]:
        try:
            yield o.FenceClaim(self._product_id, self._claim)
            stream = yield o.Load(self._product_id)
        except o.Lost:
            return None
        return "" if any(event.claim == self._claim for event in stream.events) else "lost"

    def _abandon(self, names: Iterable[str]) -> Generator[o.Operation, Any, None]:
        """Give claimed names back. Nothing was written with this claim, nor will be."""
        try:
            for name in names:
                if Faults.ABANDONS_WITHOUT_LOOKING in self._faults:
                    yield o.Free(name, self._claim, False, 0)
                    continue
                row = yield o.ReadName(name)
                if row is not None and row.claim == self._claim:
                    yield from settle(name, self._faults, own=self._claim)
        except o.Lost:
            return  # the sweeper finds them pending

    def _settle_own(self, wanted: list[str], given_up: list[str]) -> Generator[o.Operation, Any, None]:
        """After the answer. If a call is lost here, the open claim is what the sweeper finds."""
        try:
            for name in wanted:
                yield o.Confirm(name, self._claim)
            yield from finish(self._product_id, self._claim, given_up, self._faults)
        except o.Lost:
            return


def _answer(command: Command, answer: str, about: str = "") -> Generator[o.Operation, Any, str]:
    yield o.Answered(command.key, answer, about)
    return answer
