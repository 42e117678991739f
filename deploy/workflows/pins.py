"""Which actions are not named by the digest of a commit, with the release of that commit beside it.

A tag can be moved to other code; a commit cannot. The release in the comment is for people; Dependabot writes
both.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_USES = re.compile(r"^\s*(?:-\s+)?uses:\s*(\S.*)$")
_PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_RELEASE = re.compile(r"@([0-9a-f]{40}) # (v\S+)$")


def unpinned(folder: Path) -> Iterator[str]:
    """A sentence for each action that is not pinned, or whose commit has two names; also if there is none."""
    named: dict[str, str] = {}
    used = 0
    for file in sorted(folder.glob("workflows/*.yml")):
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            uses = _USES.match(line)
            if uses is None or uses[1].startswith("./"):
                continue
            used += 1
            where = f"{file.name}:{number}: {uses[1]}"
            if not _PINNED.match(uses[1]):
                yield f"{where} is not pinned as owner/name@commit # vX.Y.Z"
                continue
            release = _RELEASE.search(uses[1])
            assert release is not None
            if named.setdefault(release[1], release[2]) != release[2]:
                yield f"{where}: elsewhere this commit is called {named[release[1]]}"
    if not used:
        yield f"{folder} has no workflow with an action"
