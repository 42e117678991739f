"""Processor time of the parts of a system, from the process table: a part is a process with its children.

PostgreSQL starts and ends sessions at any time. The time of an ended child is in the account of its parent
from then on, so a sum over the family loses nothing. Only a child that ends while a sum is taken would be
lost, or counted twice: such a sum is taken again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import psutil

_READINGS_MAX = 20
# Without `guest`, which is in `user` already, and `steal`, in which another machine had the core.
_BUSY = ("user", "nice", "system", "irq", "softirq")


class Reading(NamedTuple):
    """One process: its own processor time, and that of its children which have ended and were waited for."""

    pid: int
    own_seconds: float
    ended_seconds: float


def processor_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """By part, since the start of its process. Raises psutil.NoSuchProcess if that has ended."""
    return {name: total_seconds(steady(lambda pid=pid: family(pid))) for name, pid in pids.items()}  # type: ignore[misc]


def memory_mebibytes(pids: Mapping[str, int]) -> dict[str, float]:
    """By part, resident. Where processes share pages (PostgreSQL), each has its part of them (PSS)."""
    return {name: sum(map(_memory_bytes, _members(pid))) / 2**20 for name, pid in pids.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each part has spent between two readings."""
    return {name: after[name] - before[name] for name in before}


def busy_seconds() -> float:
    """Of all cores since the start of the machine, whatever they did; not what they waited."""
    times = psutil.cpu_times()
    return sum(getattr(times, name, 0.0) for name in _BUSY)


def own_seconds(pid: int | None = None) -> float:
    """Of this process, or another one, and its children that have ended, such as load generators."""
    return total_seconds([_reading(psutil.Process(pid))])


def total_seconds(readings: Sequence[Reading]) -> float:
    """Of a family, its ended members included."""
    return sum(each.own_seconds + each.ended_seconds for each in readings)


def steady(read: Callable[[], Sequence[Reading]]) -> Sequence[Reading]:
    """A reading of a family during which no member ended. Raises RuntimeError if some always did."""
    last = read()
    for _ in range(_READINGS_MAX):
        newer = read()
        if _members_of(newer) == _members_of(last):
            return newer
        last = newer
    raise RuntimeError(f"processes began or ended during each of {_READINGS_MAX} readings")


def family(pid: int) -> Sequence[Reading]:
    """A process and all its descendants, the process first. Raises psutil.NoSuchProcess if it has ended."""
    parent, *descendants = _members(pid)
    readings = [_reading(parent)]
    for each in descendants:
        try:
            readings.append(_reading(each))
        except psutil.NoSuchProcess:
            continue  # it has ended: the next reading differs
    return readings


def _members(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _reading(process: psutil.Process) -> Reading:
    times = process.cpu_times()
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return Reading(process.pid, times.user + times.system, ended)


def _members_of(readings: Sequence[Reading]) -> set[tuple[int, float]]:
    return {(each.pid, each.ended_seconds) for each in readings}


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)
