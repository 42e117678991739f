"""Guards that a run can remove on purpose, one at a time, to prove that the checker then finds problems.

`broken_process.py` removes them in the child process; this module has only what a run needs to know.
"""

from typing import NamedTuple


class Break(NamedTuple):
    """The kinds of processes without the guard, and the faults and targets that make it show."""

    what: str
    processes: tuple[str, ...]
    faults: str
    on: str


BREAKS: dict[str, Break] = {
    "none-but-slow": Break(
        "nothing is broken, but projectors take their time between reading and writing: must be clean",
        ("projector",), "stop,zombie,kill,repeat,cut", "projector,products-events",
    ),
    "no-cas": Break(
        "a projector moves its checkpoint after its rows and compares nothing",
        # Not cut off, or its transaction is gone; and one of the two, so that there is always a successor.
        ("projector",), "stop", "projector-1",
    ),
    "no-row-guard": Break(
        "a projector's rows are written over newer ones",
        ("projector",), "replay,repeat,kill", "projector,products-events",
    ),
    "no-comparison": Break(
        "the one statement of an ordinary batch compares neither checkpoints nor versions with what was read",
        ("projector",), "stop,zombie", "projector-1",
    ),
    "no-redis-guard": Break(
        "documents are set in Redis without a look at what stands there",
        ("projector", "query-api"), "zombie,stop", "projector",
    ),
    "no-cache-checkpoint": Break(
        "nobody compares what Redis has with what was written to it",
        ("projector",), "redis-older", "redis",
    ),
    "no-idempotency": Break(
        "the command API does not know an Idempotency-Key again",
        ("command-api",), "stop,zombie,kill", "command-api",
    ),
    "no-read-back": Break(
        "after a connection lost in a call the command API says that nothing was written",
        ("command-api",), "cut-answer,postgres-kill,postgres-restart", "command-api,postgres",
    ),
    "cursor-first": Break(
        "the relay moves its cursor over what Kafka has not confirmed",
        ("relay",), "kafka,blackhole,cut", "relay,kafka",
    ),
    "no-token": Break(
        "the query API does not wait for a Consistency-Token",
        ("query-api",), "zombie,stop,kill", "projector",
    ),
    "no-known-version": Break(
        "a command that was decided on what its process knows takes effect on any version",
        ("command-api",), "stop,zombie,kill", "command-api",
    ),
    "no-last-event": Break(
        "the query API reads the log for a token, and leaves the last event out",
        ("query-api",), "zombie,stop", "projector",
    ),
    "no-tail-floor": Break(
        "a projection follows the shared reader whatever its tail lacks, and does not notice what it misses",
        ("projector",), "kill,restart,zombie", "projector",
    ),
    "no-claim": Break(
        "a projector sends a mail without a look at who has sent it",
        ("projector",), "repeat,replay,kill,zombie", "projector,products-events",
    ),
}  # fmt: skip
CONTROL = "none-but-slow"


def prefixes_of(name: str) -> dict[str, list[str]]:
    """Kind of process -> what stands before its own arguments."""
    return {kind: ["tests.chaos.broken_process", name] for kind in BREAKS[name].processes}
