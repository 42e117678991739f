"""PostgreSQL and OpenSearch refuse to run as root: started by root, they run as `nobody`.

`nobody` cannot read a checkout under /root or in a home that is closed to others. Then the data and a copy of
the programs are under /var/tmp, and a link in `.local/` points there. The wheel's own launcher would open the
folders above to everyone; the user has not asked for that.
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
    """A system user that runs a program."""

    uid: int
    gid: int


def identity_without_root() -> Identity | None:
    """`nobody` for root; None for a normal user, who runs the server directly."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Identity(entry.pw_uid, entry.pw_gid)


def is_reachable(path: Path) -> bool:
    """True if other users can traverse every folder above an existing path."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def outside_home(path: Path) -> Path:
    """A root-owned folder under /var/tmp that replaces `path`; always the same one."""
    whole = path.parent.resolve() / path.name  # do not follow a link at `path` itself: it points here
    digest = hashlib.sha256(str(whole).encode()).hexdigest()[:16]
    folder = Path("/var/tmp") / f"product-catalogue-{digest}"
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise LocalStackError(f"{folder} belongs to another user: remove it and try again")
    folder.chmod(0o711)
    return folder
