"""Commands for a cluster over short paths: those of one node are one write and one stretch of reading."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hiredis import pack_command
from redis.exceptions import AskError, NoScriptError, ResponseError, TryAgainError

from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.node import Node
from shared.redis.cluster.slots import slot_of_command
from shared.redis.direct_calls import DirectCalls
from shared.redis.together import together

# MovedError is an AskError. The client's own way follows them.
_ELSEWHERE = (AskError, TryAgainError, NoScriptError)
Command = Sequence[Any]


class ClusterCalls:
    """Call it with commands, each of one slot; it returns their answers in order.

    `seconds_max` bounds a node's answers. Raises redis-py's errors, if any node does not answer.
    """

    def __init__(self, redis: ClusterRedis, *, seconds_max: float) -> None:
        self._redis = redis
        self._seconds_max = seconds_max
        self._calls: dict[Node, DirectCalls] = {}

    async def __call__(self, commands: Sequence[Command]) -> list[Any]:
        by_node: dict[Node, list[int]] = {}
        for at, command in enumerate(commands):
            by_node.setdefault(await self._redis.node_of(slot_of_command(command)), []).append(at)
        answers: list[Any] = [None] * len(commands)
        some = await together(
            [self._ask(node, [commands[at] for at in places]) for node, places in by_node.items()]
        )
        for places, found in zip(by_node.values(), some, strict=True):
            for at, answer in zip(places, found, strict=True):
                answers[at] = answer
        return answers

    async def close(self) -> None:
        """Disconnect idle connections."""
        for calls in self._calls.values():
            await calls.close()

    async def _ask(self, node: Node, commands: Sequence[Command]) -> list[Any]:
        if node not in self._calls:
            self._calls[node] = DirectCalls(node.redis, seconds_max=self._seconds_max)
        answers = await node.guarded(_sent(self._calls[node], commands))
        for at, answer in enumerate(answers):
            if isinstance(answer, _ELSEWHERE):
                answers[at] = await self._redis.execute_command(*commands[at])
            elif isinstance(answer, ResponseError):
                raise answer
        return answers


def _sent(calls: DirectCalls, commands: Sequence[Command]) -> Callable[[], Awaitable[list[Any]]]:
    packed = [pack_command(tuple(command)) for command in commands]
    return lambda: calls.all(packed)
