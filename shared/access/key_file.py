"""Public keys from a file, for installations without an issuer that serves them."""

import os
from pathlib import Path

from shared.access.errors import InvalidKeys, KeysUnavailable
from shared.access.keys import KEYS_BYTES_MAX, PublicKey, key_of, read_keys
from shared.ops.logs import get_logger

_log = get_logger(__name__)
_State = tuple[int, int, int, int]
_GONE: _State = (0, 0, 0, 0)


class FileKeys:
    """A JWKS or PEM file. It is read again when it has changed: rotation needs no restart.

    A changed file that is not usable is logged once, and the keys from before go on counting: half a written
    file must not lock everybody out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, PublicKey] = {}
        self._state: _State | None = None

    async def find(self, kid: str | None) -> PublicKey | None:
        """As in `KeySource`. The file is local and small, so reading it does not wait."""
        await self.check()
        return key_of(self._keys, kid)

    async def check(self) -> None:
        """As in `KeySource`."""
        self._read_if_changed()
        if not self._keys:
            raise KeysUnavailable("the file of keys is not usable")

    def _read_if_changed(self) -> None:
        state = _state_of(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._keys = read_key_file(self._path)
        except (OSError, InvalidKeys) as error:
            _log.error("the file of keys is not usable", file=str(self._path), reason=str(error))


def _state_of(path: Path) -> _State:
    """Differs when the file has changed, or may be read since."""
    try:
        stat = os.stat(path)
    except OSError:
        return _GONE
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def read_key_file(path: Path) -> dict[str, PublicKey]:
    """The keys in the file. Raises `InvalidKeys`, or OSError."""
    with path.open("rb") as file:
        return read_keys(file.read(KEYS_BYTES_MAX + 1))
