"""Keeps waiting products in a temporary file: a thousand of them take as much memory as one."""

import pickle
import tempfile

from command_api.importer.errors import ImportFailed
from command_api.importer.source import Candidate


class Spool:
    """Use as a context manager. The file has no name, and disappears with the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def add(self, candidate: Candidate) -> int:
        """Returns its offset. Raises `ImportFailed` if the file cannot be written, on a full disk for
        example.
        """
        try:
            offset = self._file.seek(0, 2)
            pickle.dump(candidate, self._file, pickle.HIGHEST_PROTOCOL)
        except OSError as error:
            raise ImportFailed(
                f"cannot write waiting products to a temporary file: {error.strerror}"
            ) from error
        return offset

    def get(self, offset: int) -> Candidate:
        self._file.seek(offset)
        candidate: Candidate = pickle.load(self._file)  # noqa: S301 - no one else can write to this file
        return candidate
