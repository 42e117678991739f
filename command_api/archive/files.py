"""One file for each archived partition: its rows in PostgreSQL's binary COPY format, compressed by gzip.

The format has not changed since PostgreSQL 7.4. The checksum is that of the rows and not of the compressed
bytes, so the table and the file have the same one. `NAME.json` beside it says what is in it.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Write = Callable[[bytes], Coroutine[Any, Any, None]]
_CHUNK_BYTES = 1024 * 1024
_LEVEL = 6


class ArchiveBroken(Exception):
    """A file is missing, cut or changed, or belongs to another log."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The rows from lower_position up to, but without, upper_position. `sha256` is that of the rows."""

    log_id: str
    partition_name: str
    lower_position: int
    upper_position: int
    events: int
    sha256: str


class PartitionFile:
    """The file of one partition of one log in a folder."""

    def __init__(self, folder: Path, log_id: str, partition_name: str) -> None:
        self.path = folder / f"{log_id}-{partition_name}.copy.gz"
        self._manifest_path = folder / f"{log_id}-{partition_name}.json"

    async def write(self, rows: Callable[[Write], Awaitable[None]]) -> str:
        """Write what `rows` gives, durably, in place of an earlier file; returns its sha256. A crash leaves
        a file `.partial`, which the next run replaces.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial, digest = self.path.with_suffix(".partial"), hashlib.sha256()
        with partial.open("wb") as raw:
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as packed:

                async def write(data: bytes) -> None:
                    digest.update(data)
                    packed.write(data)

                await rows(write)
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(self.path)
        self._folder_to_disk()
        return digest.hexdigest()

    def describe(self, manifest: Manifest) -> None:
        """Write the manifest, after the file was read back."""
        partial = self._manifest_path.with_suffix(".partial-json")
        with partial.open("w", encoding="utf-8") as opened:
            json.dump(asdict(manifest), opened, indent=1)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(self._manifest_path)
        self._folder_to_disk()

    def check(self, sha256: str) -> None:
        """Read the whole file. Raises `ArchiveBroken` if its rows are not those of this checksum."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise ArchiveBroken(f"{self.path} has other rows than the partition: its checksum differs")

    def chunks(self) -> Iterator[bytes]:
        """The rows, uncompressed. Raises `ArchiveBroken`."""
        try:
            with gzip.open(self.path, "rb") as packed:
                while chunk := packed.read(_CHUNK_BYTES):
                    yield chunk
        except (OSError, EOFError) as error:
            raise ArchiveBroken(f"{self.path} cannot be read: {error}") from error

    def _folder_to_disk(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
