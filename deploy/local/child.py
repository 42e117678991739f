"""Run in every child before its program: `python -I -S child.py SIGNAL PARENT UID GID PROGRAM ARGS...`.

A supervisor killed with SIGKILL cannot stop its children; on Linux the kernel does it, with PR_SET_PDEATHSIG.
This is a program of its own, and not a preexec_fn, because running Python between fork and exec is unsafe in
a process with threads (and a warning from Python 3.12 on). Privileges are dropped first, because the kernel
clears the setting when the user id changes.
"""

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop privileges, make sure that this process ends with its parent, and become the program."""
    orphan_signal, parent_pid, uid, gid = (int(argument) for argument in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
        if os.getppid() != parent_pid:  # the parent died before the call above: no signal will come
            sys.exit(1)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:  # a broker keeps several files open per partition
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
