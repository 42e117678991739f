"""Processor time, memory, open files and log size of the system's processes, if they run on this machine.

A process is found by the port on which it listens; its children belong to it (the sessions of PostgreSQL).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """Of one process with its children. `processor_seconds` since their start; None: not readable here."""

    processor_seconds: float
    memory_bytes: int
    open_files: int | None
    sockets: int | None


@dataclass
class Processes:
    """`by_name`: the processes that were found; `missing`: names without a process on this machine."""

    by_name: dict[str, psutil.Process]
    missing: list[str] = field(default_factory=list)

    def usage(self) -> dict[str, Usage]:
        """The usage now; a process that has ended is left out."""
        found: dict[str, Usage] = {}
        for name, process in self.by_name.items():
            try:
                found[name] = _usage(process)
            except psutil.Error:
                continue
        return found


def find_processes(port_by_name: Mapping[str, int]) -> Processes:
    """Needs no rights for one's own processes; those of other users are missing unless we are root."""
    listening: dict[int, int] = {}
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid is not None and connection.laddr:
                listening[connection.laddr.port] = connection.pid
    except psutil.AccessDenied:  # macOS: only for root
        return Processes({}, list(port_by_name))
    found = {
        name: psutil.Process(listening[port]) for name, port in port_by_name.items() if port in listening
    }
    return Processes(found, [name for name in port_by_name if name not in found])


def log_bytes(folder: Path) -> int | None:
    """The size of all logs in the folder; None if there is no such folder."""
    return sum(file.stat().st_size for file in folder.glob("*.log")) if folder.is_dir() else None


def _usage(process: psutil.Process) -> Usage:
    own = process.cpu_times()
    members = [process, *process.children(recursive=True)]
    seconds = getattr(own, "children_user", 0.0) + getattr(own, "children_system", 0.0)
    memory, files, sockets = 0, 0, 0
    are_readable = True
    for member in members:
        try:
            with member.oneshot():
                times = member.cpu_times()
                seconds += times.user + times.system
                memory += _memory_bytes(member, are_several=len(members) > 1)
        except psutil.NoSuchProcess:
            continue  # a session that has ended: its time is in `children_user` from now on
        opened = _descriptors(member.pid)
        are_readable = are_readable and opened is not None
        files += len(opened or ())
        sockets += sum(target.startswith("socket:") for target in opened or ())
    return Usage(seconds, memory, files if are_readable else None, sockets if are_readable else None)


def _memory_bytes(process: psutil.Process, *, are_several: bool) -> int:
    """Resident memory; where several processes share pages (PostgreSQL), each has its part of them (PSS)."""
    if are_several:
        try:
            return int(process.memory_full_info().pss)
        except (psutil.AccessDenied, AttributeError):
            pass
    return int(process.memory_info().rss)


def _descriptors(pid: int) -> Sequence[str] | None:
    folder = f"/proc/{pid}/fd"
    targets: list[str] = []
    try:
        for name in os.listdir(folder):
            try:
                targets.append(os.readlink(f"{folder}/{name}"))
            except FileNotFoundError:
                continue  # closed meanwhile
    except OSError:
        return None
    return targets
