"""The schedule of faults, a pure function: the same seed, length and kinds make the same schedule."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

PROCESSES = tuple(
    f"{kind}-{number}" for kind in ("command-api", "relay", "projector", "query-api") for number in (1, 2)
)
_NEEDS = {
    "command-api": ("postgres",),
    "relay": ("postgres", "kafka"),
    "projector": ("postgres", "redis", "kafka", "mail"),
    "query-api": ("postgres", "redis"),
}
LINKS = tuple(f"{name}>{server}" for name in PROCESSES for server in _NEEDS[name.rsplit("-", 1)[0]])
"""`process>server`: the connections of one process to one server, through a proxy of its own."""
TOPIC = "products-events"
MAIL = "mail"
_FIRST_AT_SECONDS = 3.0
_PAUSE_SECONDS_MIN = 0.3
_RECOVERY_SECONDS = {"kafka": 8.0, "postgres": 3.0, "redis": 1.0}


class Kind(NamedTuple):
    """One kind of fault: where it may happen, how many seconds it lasts (from, to), how often it comes."""

    targets: tuple[str, ...]
    holds: tuple[float, float] = (0.0, 0.0)
    weight: int = 2


KINDS: dict[str, Kind] = {
    # Processes: SIGKILL, SIGTERM, SIGSTOP, and SIGSTOP while their connections are cut.
    "kill": Kind(PROCESSES, (0.0, 3.0), 6),
    "restart": Kind(PROCESSES, (0.0, 1.0), 2),
    "stop": Kind(PROCESSES, (1.0, 20.0), 5),
    "zombie": Kind(PROCESSES, (4.0, 9.0), 4),
    # Servers.
    "kafka-kill": Kind(("kafka",), (0.0, 3.0)),
    "kafka-restart": Kind(("kafka",)),
    "kafka-stop": Kind(("kafka",), (3.0, 15.0), 1),
    "kafka-pause": Kind(("kafka",), (1.0, 10.0), 1),
    "postgres-kill": Kind(("postgres",), (0.0, 2.0)),
    "postgres-restart": Kind(("postgres",)),
    "postgres-pause": Kind(("postgres",), (1.0, 8.0), 1),
    "redis-flush": Kind(("redis",), weight=4),
    # It goes back to what it was when the fault began.
    "redis-older": Kind(("redis",), (0.5, 4.0)),
    "redis-kill": Kind(("redis",), (0.0, 3.0)),
    "redis-pause": Kind(("redis",), (1.0, 6.0)),
    # The mail server: down, or with an error for every mail, or silent before or after it has accepted one.
    "mail-kill": Kind((MAIL,), (0.5, 8.0)),
    "mail-refuse": Kind((MAIL,), (0.5, 4.0)),
    "mail-drop": Kind((MAIL,), (0.5, 4.0)),
    # Connections of one process to one server.
    "cut": Kind(LINKS, weight=3),
    "cut-request": Kind(LINKS, weight=3),
    "cut-answer": Kind(LINKS, weight=4),
    "blackhole": Kind(LINKS, (1.0, 8.0), 3),
    # Deliveries: a foreign producer writes existing records a second time.
    # The newest ones in order or with their products mixed, or a run of old ones.
    "repeat": Kind((TOPIC,), weight=3),
    "reorder": Kind((TOPIC,), weight=3),
    "replay": Kind((TOPIC,), weight=2),
}


@dataclass(frozen=True)
class Planned:
    """One fault: when it begins and how long it lasts, in seconds; `seed` is for what it decides itself."""

    number: int
    at: float
    kind: str
    target: str
    hold: float
    seed: int

    def __str__(self) -> str:
        lasting = f" for {self.hold:.1f} s" if self.hold else ""
        return f"#{self.number} {self.kind} {self.target}{lasting}"


def kinds_named(names: str) -> list[str]:
    """`kill,kafka` -> kill and all that begin with `kafka-`. Raises ValueError for unknown ones."""
    chosen: list[str] = []
    for name in names.split(","):
        found = [kind for kind in KINDS if kind == name or kind.startswith(f"{name}-")]
        if not found:
            raise ValueError(f"there is no fault {name!r}; there are {', '.join(KINDS)}")
        chosen += found
    return list(dict.fromkeys(chosen))


def schedule(
    seed: int, seconds: float, kinds: Sequence[str], *, every_seconds: float, on: Sequence[str] = ()
) -> list[Planned]:
    """Faults at random times, `every_seconds` on average, all over within `seconds`.

    `on` limits them to targets whose names begin with one of these.

    First each kind comes once, in a random order, then by weight. Every fault ends by itself, and a target
    gets no other fault until it had time to recover. Different targets may have faults at the same time.
    """
    chance = random.Random(f"schedule {seed}")
    first_round = chance.sample(list(kinds), len(kinds))
    free_at: dict[str, float] = {}
    planned: list[Planned] = []
    at = _FIRST_AT_SECONDS
    while at < seconds:
        possible = {
            kind: [target for target in _targets(kind, on) if free_at.get(target, 0.0) <= at]
            for kind in kinds
            if KINDS[kind].holds[1] <= seconds - at
        }
        possible = {kind: targets for kind, targets in possible.items() if targets}
        due = next((kind for kind in first_round if kind in possible), None)
        if possible:
            weights = [KINDS[kind].weight for kind in possible]
            kind = due or chance.choices(list(possible), weights)[0]
            target, hold = chance.choice(possible[kind]), round(chance.uniform(*KINDS[kind].holds), 1)
            free_at[target] = at + hold + _RECOVERY_SECONDS.get(target, 1.0)
            number, fault_seed = len(planned) + 1, chance.randrange(2**32)
            planned.append(Planned(number, round(at, 1), kind, target, hold, fault_seed))
        if due is not None:
            first_round.remove(due)
        at += max(_PAUSE_SECONDS_MIN, chance.expovariate(1 / every_seconds))
    return planned


def _targets(kind: str, on: Sequence[str]) -> list[str]:
    return [target for target in KINDS[kind].targets if not on or target.startswith(tuple(on))]
