"""What a run reports to the API when it has ended, so that others can see what a file has changed.

It is for people: the reject file has all rejected products, the report the first of them.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from command_api.importer.source import Rejection
from command_api.importer.summary import Summary

REJECTS_MAX = 1000
# The API takes 1 MiB; counts and times need a little of it.
REJECTS_BYTES_MAX = 1000 * 1024
_TEXT_CHARACTERS_MAX, _REASON_CHARACTERS_MAX = 255, 2000


class RunReport:
    """Collects the first rejections of a run that begins now."""

    def __init__(self, file: Path) -> None:
        self._file = _storable(file.name, _TEXT_CHARACTERS_MAX)
        self._started_at = datetime.now(UTC)
        self._rejects: list[dict[str, Any]] = []
        self._bytes = 0

    def add(self, rejection: Rejection) -> None:
        """Keeps it, if there is room."""
        reject = {
            "lines": _storable(rejection.lines or f"line {rejection.line}", _TEXT_CHARACTERS_MAX),
            "key": None if rejection.key is None else _storable(rejection.key, _TEXT_CHARACTERS_MAX),
            "reason": _storable(rejection.reason, _REASON_CHARACTERS_MAX),
        }
        size_bytes = len(_encoded(reject)) + 1
        if len(self._rejects) < REJECTS_MAX and self._bytes + size_bytes <= REJECTS_BYTES_MAX:
            self._rejects.append(reject)
            self._bytes += size_bytes

    def body(self, summary: Summary, events: int | None) -> bytes:
        """The report of a run that ends now; `events` None: not counted."""
        return _encoded(
            {
                "file": self._file,
                "started_at": self._started_at.isoformat(),
                "finished_at": datetime.now(UTC).isoformat(),
                "products": summary.accepted + summary.rejected,
                "created": summary.created,
                "changed": summary.changed,
                "unchanged": summary.unchanged + summary.updated_or_unchanged,
                "rejected": summary.rejected,
                "events": events,
                "rejects": self._rejects,
                "rejects_left_out": summary.rejected - len(self._rejects),
            }
        )


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _storable(text: str, characters_max: int) -> str:
    """What the API takes: no NUL, no half of a surrogate pair, and not too long."""
    return text[:characters_max].encode("utf-8", "replace").decode().replace("\0", "?")
