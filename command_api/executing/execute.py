"""THE use case: load -> fold -> decide -> append, once for each idempotency key. The state that this process
has appended last is not loaded: the append finds out whether it was still the newest one.

After a version conflict the command is decided again on the newer state, a bounded number of times. If the
caller named a version, the command is refused instead.
"""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from uuid import UUID

from command_api.domain import errors
from command_api.domain.commands import CreateProduct
from command_api.domain.product import Product, Reservation
from command_api.executing.command_turns import CommandTurns
from command_api.executing.deciding import Decided, decide_on, with_another_slug
from command_api.executing.held_skus import held_skus
from command_api.executing.known_products import KnownProducts
from command_api.executing.outcomes import count_waiting, counted
from command_api.executing.ports import (
    NO_STREAM,
    Append,
    Appended,
    DuplicateKey,
    EventStore,
    ReservationTaken,
    Session,
    StoredAnswer,
    Stream,
    StreamPlace,
)
from command_api.executing.request import Answer, IdempotencyKey, Rendered, Request
from shared.telemetry import conventions as c
from shared.telemetry.spans import present_span
from shared.telemetry.tracing import is_tracing, span


class ExecuteCommand:
    """Executes commands against an event store. Raises a `Refused` or a `StoreError`."""

    def __init__(
        self,
        store: EventStore,
        *,
        new_id: Callable[[], UUID],
        conflict_retries_max: int,
        turns: CommandTurns,
        known_products: KnownProducts,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._conflict_retries_max = conflict_retries_max
        self._turns = turns
        self._clock = clock
        self._known_products = known_products

    async def execute(self, request: Request) -> Answer:
        """Run one command, or repeat the first answer to its key."""
        return await counted(request.command, self._traced(request), has_key=request.key is not None)

    async def _traced(self, request: Request) -> Answer:
        if not is_tracing():
            return await self._once(request)
        attributes = {c.COMMAND: type(request.command).__name__, c.PRODUCT_ID: str(request.product_id)}
        with span(c.EXECUTE, attributes=attributes, refusals=errors.Refused) as own:
            if not own.is_recorded or own.context is None:
                return await self._once(request)
            # The events continue the trace here, so that each operation of a batch has its own part of it.
            caller = replace(request.caller, traceparent=own.context.header)
            answer = await self._once(replace(request, caller=caller))
            own.set({c.STREAM_VERSION: answer.stream_version, c.LOG_POSITION: answer.last_position})
            return answer

    async def _once(self, request: Request) -> Answer:
        if request.key is None:
            return await self._in_turn(request, 0.0)
        if self._turns.key_is_taken(request.key.key):
            count_waiting()
        async with self._turns.of_key(request.key.key) as waited_seconds:
            return await self._in_turn(request, waited_seconds)

    async def find_holder(self, reservation: Reservation) -> UUID | None:
        """The product that holds this slug or SKU now. Raises `StoreUnavailable`."""
        return await self._store.find_holder(reservation)

    async def repeat(self, request: Request) -> Answer | None:
        """The first answer to the request's key. Raises `KeyReused`, `StoreUnavailable`."""
        return None if request.key is None else await self._repeat(request.key)

    async def _repeat(self, key: IdempotencyKey) -> Answer | None:
        stored = await self._store.find_answer(key.key)
        return _first_answer(stored, key) if stored is not None else None

    async def _in_turn(self, request: Request, waited_seconds: float) -> Answer:
        if isinstance(request.command, CreateProduct):
            return await self._run(request, waited_seconds, is_key_checked=True)
        is_known = self._known_products.latest(request.product_id, self._store.session) is not None
        if not is_known and (repeated := await self.repeat(request)) is not None:
            return repeated
        async with self._turns.of_product(request.product_id, waited_seconds) as waited_seconds:
            return await self._run(request, waited_seconds, is_key_checked=not is_known)

    async def _run(self, request: Request, waited_seconds: float, *, is_key_checked: bool) -> Answer:
        """Attempts that lost to another process count as waiting: so the waits of a command end in time.

        The first one decides on the state that this process knows, if it can: the append looks up the key,
        and refuses a state that is no longer the newest. `is_key_checked`: the key was looked up, or
        the append does it in any case.
        """
        current_version, began = 0, self._clock() - waited_seconds
        for attempt in range(self._conflict_retries_max + 1):
            if attempt:
                waited_seconds = self._clock() - began
            session = self._store.session
            decided = None if attempt else self._on_known_state(request, session, waited_seconds)
            if decided is None:
                if not is_key_checked and (repeated := await self.repeat(request)) is not None:
                    return repeated
                is_key_checked = True
                stream, before = await self._load(request)
                decided = decide_on(request, stream, before, waited_seconds, self._new_id)
                if not decided.append.events and decided.append.answer is None:
                    unchanged = Appended(stream.stream_version, stream.last_position)
                    return _answer(decided.rendered, decided.append, unchanged)
            outcome = await self._store.append(decided.append)
            if isinstance(outcome, Appended):
                self._keep(decided, outcome, session)
                return _answer(decided.rendered, decided.append, outcome)
            if isinstance(outcome, DuplicateKey):
                return await self._answer_of_another(request)
            self._known_products.forget(request.product_id)
            if isinstance(outcome, ReservationTaken):
                kind, value = outcome.reservation
                if kind == "k":
                    raise errors.SkuTaken(value, await held_skus(self._store, decided.append))
                request = with_another_slug(request, value)
                present_span().event(c.SLUG_TAKEN)
                continue
            current_version = outcome.current_version
            present_span().event(c.VERSION_CONFLICT, {c.CURRENT_VERSION: current_version})
        raise errors.TooManyConflicts(current_version)

    def _on_known_state(
        self, request: Request, session: Session | None, waited_seconds: float
    ) -> Decided | None:
        """None: the log has to be asked, because this process does not know the product, or because the
        answer would be one without an append, which may be a wrong one on an old state.
        """
        known = self._known_products.latest(request.product_id, session)
        if known is None:
            return None
        try:
            decided = decide_on(request, *known, waited_seconds, self._new_id, known_in=session)
        except errors.Refused:
            return None
        return decided if decided.append.events else None

    def _keep(self, decided: Decided, appended: Appended, session: Session | None) -> None:
        append = decided.append
        if append.events:
            place = StreamPlace(appended.stream_version, appended.last_position, append.events[-1].metadata)
            size_bytes = decided.size_bytes
            self._known_products.appended(append.product_id, place, decided.after, size_bytes, session)

    async def _load(self, request: Request) -> tuple[Stream, Product | None]:
        if isinstance(request.command, CreateProduct):
            return NO_STREAM, None  # the id is new: there is nothing to load
        return await self._known_products.load(self._store, request.product_id)

    async def _answer_of_another(self, request: Request) -> Answer:
        """Another process has used this key first: repeat its answer."""
        assert request.key is not None
        answer = await self._repeat(request.key)
        if answer is None:
            raise RuntimeError(
                "a duplicate key without an answer: the append function and the table disagree"
            )
        return answer


def _answer(rendered: Rendered, append: Append, appended: Appended) -> Answer:
    status, body = rendered
    version, position = appended.stream_version, appended.last_position
    return Answer(status, body, append.product_id, version, position, len(append.events))


def _first_answer(stored: StoredAnswer, key: IdempotencyKey) -> Answer:
    if stored.fingerprint != key.fingerprint:
        raise errors.KeyReused("this idempotency key was used for another request")
    return Answer(stored.status, stored.body, stored.product_id, stored.stream_version, stored.last_position)
