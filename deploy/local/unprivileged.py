"""PostgreSQL refuses to run as root: started by root, it runs as `nobody`.

`nobody` can reach neither a checkout under /root nor a home closed to others. Where that is so, a
copy of the programs and the data live under /var/tmp, and a link in `.local/` points there; opening
the folders above (what the wheel's own launcher does) would be a surprise the user never asked for.
"""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalStackError


@dataclass(frozen=True)
class Identity:
    """A system user to run a program as."""

    uid: int
    gid: int


def identity_for_postgres() -> Identity | None:
    """None for a normal user, who runs PostgreSQL as themself; `nobody` for root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Identity(entry.pw_uid, entry.pw_gid)


def is_reachable(path: Path) -> bool:
    """True where every folder above an existing path can be traversed by other users."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def outside_home(path: Path) -> Path:
    """A root-owned folder under /var/tmp that stands in for `path`; the same one every time."""
    whole = path.parent.resolve() / path.name  # a link at `path` itself points here: it must not be followed
    digest = hashlib.sha256(str(whole).encode()).hexdigest()[:16]
    folder = Path("/var/tmp") / f"product-catalogue-{digest}"
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise LocalStackError(f"{folder} belongs to someone else: remove it and try again")
    folder.chmod(0o711)
    return folder
