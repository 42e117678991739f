"""The situations that the exhaustive search goes through: two or three commands that want one name, and the
sweeper.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from tests.sharding.commands import UPSERT_KEYS, Command
from tests.sharding.exploring import Explored, Explorer, run_alone
from tests.sharding.faults import Faults
from tests.sharding.memory_shards import Shards
from tests.sharding.operations import shard_of_product, shard_of_text
from tests.sharding.protocol import client
from tests.sharding.settling import Process, sweep


def product_on(shard: int, number: int) -> UUID:
    """The `number`-th product whose log is on this shard."""
    ids = (UUID(int=each) for each in range(1, 10_000))
    return [one for one in ids if shard_of_product(one) == shard][number]


def text_on(shard: int, stem: str) -> str:
    """A name or key whose row is on this shard."""
    return next(text for each in range(100) if shard_of_text(text := f"{stem}{each}") == shard)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`before`: commands that ran alone. `clients`: each sends its commands one after the other, `runs` times
    at most while the answer is not clear.
    """

    name: str
    before: Sequence[Command]
    clients: Sequence[Sequence[Command]]
    sweepers: int = 1
    runs: int = 1

    def explore(
        self, faults: Faults = Faults.NONE, *, losses_max: int = 0, states_max: int = 2_000_000
    ) -> Explored:
        """All interleavings, with at most `losses_max` lost calls."""
        shards = Shards()
        for command in self.before:
            shards = run_alone(shards, client(command, Faults.NONE))
        makers: list[Callable[[], Process]] = [
            partial(_one_by_one, [_planted(each, faults) for each in commands], faults, self.runs)
            for commands in self.clients
        ]
        makers += [partial(sweep, faults)] * self.sweepers
        return Explorer(makers).explore(shards, losses_max=losses_max, states_max=states_max)


def _planted(command: Command, faults: Faults) -> Command:
    if Faults.THE_KEY_OF_AN_UPSERT_IS_NO_NAME in faults and command.key.startswith(UPSERT_KEYS):
        return replace(command, key=f"plain-{command.key}")
    return command


def _one_by_one(commands: Sequence[Command], faults: Faults, runs: int) -> Process:
    for command in commands:
        yield from client(command, faults, runs)


# A has its log on shard 0, B on shard 1; the names that they want have their rows on shard 1.
A, A_TOO, B = product_on(0, 0), product_on(0, 1), product_on(1, 0)
SKU, SLUG = text_on(1, "k:red-"), text_on(1, "s:red-")
_A_EXISTS = Command("make-a", "create", (A,), (text_on(0, "s:a-"),))
_B_EXISTS = Command("make-b", "create", (B,), (text_on(0, "s:b-"),))
_A_HAS_IT = Command("give-a", "add", (A,), (SKU,))
_A_ADDS = Command("a-adds", "add", (A,), (SKU,))
_A_ADDS_TOO = Command("a-adds-too", "add", (A,), (SKU,))
_A_GIVES_IT_UP = Command("a-gives-up", "remove", (A,), (SKU,))
_B_ADDS = Command("b-adds", "add", (B,), (SKU,))

CREATIONS = Scenario(
    "two creations want one slug",
    [],
    [[Command("a-is-made", "create", (A,), (SLUG,))], [Command("b-is-made", "create", (B,), (SLUG,))]],
)
MOVE = Scenario(
    "a SKU moves to a product of another shard",
    [_A_EXISTS, _B_EXISTS, _A_HAS_IT],
    [[_A_GIVES_IT_UP], [_B_ADDS]],
)
TWICE = Scenario(
    "two commands add one SKU to one product",
    [_A_EXISTS, _B_EXISTS],
    [[_A_ADDS], [_A_ADDS_TOO]],
)
BACK = Scenario(
    "a product takes back a SKU that another one wants",
    [_A_EXISTS, _B_EXISTS, _A_HAS_IT],
    [[_A_GIVES_IT_UP], [_A_ADDS], [_B_ADDS]],
    sweepers=0,
)
AT_ONCE = Scenario(
    "a product gives up a SKU that it has just got",
    [_A_EXISTS, _B_EXISTS],
    [[_A_ADDS], [_A_GIVES_IT_UP], [_B_ADDS]],
    sweepers=0,
)
AGAIN = Scenario(
    "a creation is sent again",
    [],
    [[Command(text_on(0, "key-"), "create", (A, A_TOO, B), (SLUG,))]],
    runs=2,
)
UPSERT_AGAIN = Scenario(
    "an upsert is sent again while its product loses the slug",
    [Command("make-a", "create", (A,), (SLUG,))],
    [
        [Command("upsert-it", "upsert", (B, product_on(1, 1)), (SLUG,))],
        [Command("a-is-renamed", "rename", (A,), (text_on(0, "s:blue-"),))],
    ],
    sweepers=0,
    runs=2,
)
SCENARIOS = [CREATIONS, MOVE, TWICE, BACK, AT_ONCE, AGAIN, UPSERT_AGAIN]
