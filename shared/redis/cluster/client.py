"""A client with the methods of redis-py's, whose commands find the node of their key.

A slot that has moved is followed at once (MOVED, ASK), and the map of slots is asked for again after that and
after each failure, at most every half second. A failure itself is told to the caller: the circuit breakers
and the callers' own retries bound what it costs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.commands.core import AsyncScript
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from shared.ops.breaker import BreakerState
from shared.redis.address import Place
from shared.redis.agreement import agreed
from shared.redis.cluster.node import Node
from shared.redis.cluster.slots import SlotMap, SlotRanges, ranges_of, slot_of_command, told_place
from shared.redis.errors import is_mistake
from shared.redis.together import together

ATTEMPTS_MAX = 4
TRY_AGAIN_SECONDS = 0.02
LOOK_SECONDS_MIN = 0.5


class ClusterRedis(Redis):
    """All keys of a command must be in one slot. `connect` makes a client for one node."""

    def __init__(self, seeds: Sequence[Place], connect: Callable[[Place], Redis]) -> None:
        self._connect = connect
        self._seeds = seeds
        self._slots = SlotMap()
        self._nodes: dict[Place, Node] = {}
        self._scripts: dict[str, Any] = {}
        self._looking: asyncio.Task[None] | None = None
        self._next_look = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        self.on_change: list[Callable[[], None]] = []
        """Called at once when a slot is found elsewhere than before."""
        # Only for what needs no connection, as the encoding of a script's name.
        super().__init__(connection_pool=self._node(seeds[0]).redis.connection_pool)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """PING goes to all primaries. Raises redis-py's errors."""
        if args[0] == "PING":
            return await self._ping()
        slot = slot_of_command(args)
        for _ in range(ATTEMPTS_MAX):
            node = await self.node_of(slot)
            try:
                return await node.guarded(partial(self._run, node.redis, args, options))
            except MovedError as moved:
                self._follow(moved, node)
            except AskError as ask:
                self._has_changed()
                with suppress(TryAgainError):
                    return await self._asked(ask, node, args)
            except TryAgainError:
                # Some keys of the slot are here and some there; in a moment all are there.
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        raise TryAgainError(f"the slot {slot} is on its way to another node")

    async def node_of(self, slot: int) -> Node:
        """Raises `ClusterDownError` if no node has the slot, or redis-py's errors if none answers."""
        place = self._slots.get(slot)
        if place is None:
            await asyncio.shield(self._look())
            place = self._slots.get(slot)
        if place is None:
            raise ClusterDownError(f"no node has the slot {slot}")
        return self._node(place)

    async def primaries(self) -> list[Node]:
        """All that have slots. Raises redis-py's errors if no node answers."""
        if not self._slots.primaries():
            await asyncio.shield(self._look())
        return [self._node(place) for place in sorted(self._slots.primaries())]

    def place_of(self, slot: int) -> Place | None:
        """As far as it is known, without asking."""
        return self._slots.get(slot)

    def register_script(self, script: Any) -> AsyncScript:  # type: ignore[override]  # of the blocking client
        """A node that does not know it gets its text with the call."""
        registered = super().register_script(script)
        self._scripts[registered.sha] = script
        return registered

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "ClusterPipeline":
        """Without transactions: its commands may go to several nodes."""
        if transaction:
            raise ValueError("a cluster has no transactions over several nodes")
        return ClusterPipeline(self)

    async def scan_iter(  # type: ignore[override]  # of the blocking client
        self, match: Any = None, count: int | None = None, _type: str | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """The keys of all primaries."""
        for node in await self.primaries():
            async for key in node.redis.scan_iter(match, count, _type, **kwargs):
                yield key

    def breaker_state(self, now: float) -> BreakerState:
        """Closed, if all nodes are used."""
        states = [node.breaker_state(now) for node in self._nodes.values()]
        return next((state for state in states if state is not BreakerState.CLOSED), BreakerState.CLOSED)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the clients of all nodes."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError, RedisError, OSError):
                await self._looking
        await asyncio.gather(*(node.redis.aclose() for node in self._nodes.values()), *self._closing)

    async def _run(self, redis: Redis, args: Sequence[Any], options: dict[str, Any]) -> Any:
        try:
            return await redis.execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except NoScriptError:
            eval_instead = ("EVAL", self._scripts[args[1]], *args[2:])
            return await redis.execute_command(*eval_instead, **options)  # type: ignore[no-untyped-call]

    async def _asked(self, ask: AskError, node: Node, args: Sequence[Any]) -> Any:
        """ASKING holds for the next command of the same connection."""
        importing = self._node(told_place(ask.host, ask.port, node.place))
        if args[0] == "EVALSHA":
            args = ("EVAL", self._scripts[args[1]], *args[2:])

        async def call() -> Any:
            async with importing.redis.pipeline(transaction=False) as pipeline:
                pipeline.execute_command("ASKING")
                pipeline.execute_command(*args)
                return (await pipeline.execute())[1]

        return await importing.guarded(call)

    async def _ping(self) -> bool:
        await together([node.guarded(node.redis.ping) for node in await self.primaries()])
        return True

    def _follow(self, moved: MovedError, node: Node) -> None:
        if self._slots.move(moved.slot_id, told_place(moved.host, moved.port, node.place)):
            self._has_changed()
        self._look_soon()

    def _has_changed(self) -> None:
        for tell in self.on_change:
            tell()

    def _node(self, place: Place) -> Node:
        node = self._nodes.get(place)
        if node is None:
            node = self._nodes[place] = Node(place, self._connect(place), self._look_soon)
        return node

    def _look_soon(self) -> None:
        if time.monotonic() >= self._next_look:
            self._look()

    def _look(self) -> "asyncio.Task[None]":
        if self._looking is None or self._looking.done():
            self._next_look = time.monotonic() + LOOK_SECONDS_MIN
            self._looking = asyncio.create_task(self._look_up())
            self._looking.add_done_callback(_retrieved)
        return self._looking

    async def _look_up(self) -> None:
        places = {*self._seeds, *self._slots.primaries()}
        ranges = await agreed([self._ask(self._node(place)) for place in sorted(places)])
        if self._slots.replace(ranges):
            self._has_changed()
        for place in self._nodes.keys() - self._slots.primaries() - set(self._seeds):
            closing = asyncio.create_task(self._nodes.pop(place).redis.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _ask(self, node: Node) -> SlotRanges:
        """Not through the breaker: a node that has come back must be heard."""
        try:
            answer = await node.redis.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if is_mistake(error):
                raise
            # An address that is wrong: no value is at fault.
            where = f"{node.place.host}:{node.place.port}"
            raise ClusterDownError(f"{where} is not a node of a cluster: {error}") from error
        return ranges_of(answer, node.place)


class ClusterPipeline(Pipeline):
    """Commands that are sent at the same time, each to its node."""

    def __init__(self, cluster: ClusterRedis) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, False, None)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """All are tried. Raises redis-py's errors, the first of them."""
        commands, self.command_stack = self.command_stack, []
        answers = await asyncio.gather(
            *(self._cluster.execute_command(*args, **options) for args, options in commands),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException) and raise_on_error:
                raise answer
        return list(answers)


def _retrieved(task: "asyncio.Task[None]") -> None:
    """Nobody may be waiting; the next look tells of the same error."""
    if not task.cancelled():
        task.exception()
