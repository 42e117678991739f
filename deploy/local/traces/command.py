"""`python -m deploy.local traces`: the traces of `make up ARGS="--observe"`, in the terminal."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.traces.store import TraceStore
from deploy.local.traces.waterfall import table, waterfall
from shared.ops.arguments import positive

_LISTED = 20


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What to show; by default the newest traces. The first digits of a trace's id are enough."""
    command.add_argument("trace_id", nargs="?", metavar="TRACE_ID", help="show this trace")
    command.add_argument("--slowest", type=positive, metavar="N", help="list the N slowest traces")
    command.add_argument("--newest", type=positive, metavar="N", help=f"list the N newest traces ({_LISTED})")
    command.add_argument(
        "--batches", action="store_true", help="list the traces of batches, too; each event has its own trace"
    )
    command.add_argument(
        "--position", type=positive, metavar="P", help="show the traces of the event at this log position"
    )


def run_traces(file: Path, given: argparse.Namespace) -> int:
    """Print what is wanted. Exit code 1: there is no such trace."""
    if not file.exists():
        raise LocalStackError('there are no traces: start the stack with `make up ARGS="--observe"`')
    store = TraceStore(file)
    if given.trace_id:
        return _show(store, store.named(given.trace_id.lower()), given.trace_id)
    if given.position is not None:
        return _show(store, store.at_position(given.position), f"position {given.position}", many=True)
    if given.slowest:
        listed = store.slowest(given.slowest, with_batches=given.batches)
    else:
        listed = store.newest(given.newest or _LISTED, with_batches=given.batches)
    print(table(listed))
    return 0


def _show(store: TraceStore, found: Sequence[str], wanted: str, *, many: bool = False) -> int:
    if not found:
        print(f"no trace of {wanted} is kept")
        return 1
    if len(found) > 1 and not many:
        raise LocalStackError(f"several traces begin with {wanted}: give more digits")
    print("\n\n".join(waterfall(store.trace(one)) for one in found))
    return 0
