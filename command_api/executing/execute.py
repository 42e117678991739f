"""THE use case: load -> fold -> decide -> append, once for each idempotency key.

After a version conflict the command is decided again on the newer state, a bounded number of times. If the
caller named a version, the command is refused instead. Events get their ids and metadata here; the domain has
no clock.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from time import monotonic
from uuid import UUID

import msgspec

from command_api.domain import errors
from command_api.domain.commands import CreateProduct
from command_api.domain.decide import decide
from command_api.domain.limits import check_sizes
from command_api.domain.product import Product, Reservation, evolve, existing, reservations
from command_api.executing.caller import signed
from command_api.executing.command_turns import CommandTurns
from command_api.executing.held_skus import held_skus
from command_api.executing.known_products import KnownProducts
from command_api.executing.outcomes import count_waiting, counted
from command_api.executing.ports import (
    NO_STREAM,
    Append,
    Appended,
    DuplicateKey,
    EventStore,
    KeyedAnswer,
    ReservationTaken,
    StoredAnswer,
    Stream,
)
from command_api.executing.request import Answer, Done, IdempotencyKey, Rendered, Request
from shared.telemetry import conventions as c
from shared.telemetry.spans import present_span
from shared.telemetry.tracing import span


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
            # A creation loads nothing, and the append itself looks up the key first.
            if not isinstance(request.command, CreateProduct):
                repeated = await self._repeat(request.key)
                if repeated is not None:
                    return repeated
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
            return await self._run(request, waited_seconds)
        async with self._turns.of_product(request.product_id, waited_seconds) as waited_seconds:
            return await self._run(request, waited_seconds)

    async def _run(self, request: Request, waited_seconds: float) -> Answer:
        """Attempts that lost to another process count as waiting: so the waits of a command end in time."""
        current_version, began = 0, self._clock() - waited_seconds
        for attempt in range(self._conflict_retries_max + 1):
            if attempt:
                waited_seconds = self._clock() - began
            stream, before = await self._load(request)
            rendered, append = self._decide(request, stream, before, waited_seconds)
            if not append.events and append.answer is None:
                return _answer(rendered, append, Appended(stream.stream_version, stream.last_position))
            outcome = await self._store.append(append)
            if isinstance(outcome, Appended):
                return _answer(rendered, append, outcome)
            if isinstance(outcome, DuplicateKey):
                return await self._answer_of_another(request)
            if isinstance(outcome, ReservationTaken):
                kind, value = outcome.reservation
                if kind == "k":
                    raise errors.SkuTaken(value, await held_skus(self._store, append))
                request = _with_another_slug(request, value)
                present_span().event(c.SLUG_TAKEN)
                continue
            current_version = outcome.current_version
            present_span().event(c.VERSION_CONFLICT, {c.CURRENT_VERSION: current_version})
        raise errors.TooManyConflicts(current_version)

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

    def _decide(
        self, request: Request, stream: Stream, before: Product | None, waited_seconds: float
    ) -> tuple[Rendered, Append]:
        """The events to append, and the answer after that. Raises a `Refused`."""
        if not isinstance(request.command, CreateProduct):
            existing(before)  # before the version check: a deleted product has no version that could match
        if request.versions_wanted is not None and stream.stream_version not in request.versions_wanted:
            raise errors.VersionDoesNotMatch(stream.stream_version)
        events = decide(request.command, before)
        after = reduce(evolve, events, before)
        assert after is not None
        command_id = str(self._new_id() if request.key is None else request.key.key)
        new_events = signed(events, request.caller, command_id, self._new_id)
        check_sizes(after, max((len(event.encoded.data) for event in new_events), default=0))
        done = Done(request.product_id, stream.stream_version + len(events), after, events)
        rendered = request.render(done)
        key = request.key
        held, wanted = reservations(before), reservations(after)
        append = Append(
            product_id=request.product_id,
            expected_version=stream.stream_version,
            last_position=stream.last_position,
            events=new_events,
            claims=wanted - held,
            releases=held - wanted,
            answer=None if key is None else KeyedAnswer(key.key, key.fingerprint, *rendered),
            waited_seconds=waited_seconds,
        )
        return rendered, append


def _with_another_slug(request: Request, taken: str) -> Request:
    """For a generated slug: adds the end of the product's id, which is unique."""
    command = request.command
    if not request.slug_is_generated or not isinstance(command, CreateProduct):
        raise errors.SlugTaken(taken)
    suffix = f"-{request.product_id.hex[-12:]}"
    slug = command.product.slug.removesuffix(suffix) + suffix
    if slug == taken:
        raise errors.SlugTaken(taken)
    return replace(request, command=CreateProduct(msgspec.structs.replace(command.product, slug=slug)))


def _answer(rendered: Rendered, append: Append, appended: Appended) -> Answer:
    status, body = rendered
    version, position = appended.stream_version, appended.last_position
    return Answer(status, body, append.product_id, version, position, bool(append.events))


def _first_answer(stored: StoredAnswer, key: IdempotencyKey) -> Answer:
    if stored.fingerprint != key.fingerprint:
        raise errors.KeyReused("this idempotency key was used for another request")
    return Answer(stored.status, stored.body, stored.product_id, stored.stream_version, stored.last_position)
