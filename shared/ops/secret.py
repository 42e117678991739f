"""A setting that is a secret, or contains one: it is never shown, and read again after a rotation.

Secrets reach a process as files more safely than as variables: crash dumps, child processes and
`/proc/PID/environ` have no copy, and a file can change while the process runs. So clients ask for the text
each time they connect, and keep no copy of it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from shared.ops.logs import get_logger

SECRET_BYTES_MAX = 65_536
_HIDDEN = "**********"
_log = get_logger(__name__)


class Secret:
    """`read` gives its newest text. It shows itself as asterisks wherever it is printed, logged or dumped."""

    __slots__ = ("_changes", "_file", "_text", "_trouble")

    def __init__(
        self, text: str, *, file: Path | None = None, changes: tuple[Callable[[str], str], ...] = ()
    ) -> None:
        self._text = text
        self._file = file
        self._changes = changes
        self._trouble: str | None = None

    @classmethod
    def from_file(cls, file: Path) -> "Secret":
        """Raises `ValueError` with the reason if the file cannot be read, is empty, or is no text."""
        return cls(secret_text(file), file=file)

    def read(self) -> str:
        """The text of its file as it is now, or the text that it was made of.

        While the file cannot be read, the last text that could be is used: a rotation may be half done. That
        is logged once: while a server is away too, clients connect many times a second.
        """
        if self._file is not None:
            before, self._trouble = self._trouble, None
            try:
                self._text = secret_text(self._file)
            except ValueError as error:
                self._trouble = str(error)
                if self._trouble != before:
                    _log.warning("a secret keeps its last value", file=str(self._file), reason=self._trouble)
        text = self._text
        for change in self._changes:
            text = change(text)
        return text

    def changed(self, change: Callable[[str], str]) -> "Secret":
        """A secret that follows this one, and changes the text at each reading."""
        return Secret(self._text, file=self._file, changes=(*self._changes, change))

    def __bool__(self) -> bool:
        """Whether there is a text."""
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Secret('{_HIDDEN if self._text else ''}')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self._text, self._file, self._changes) == (other._text, other._file, other._changes)

    def __hash__(self) -> int:
        return hash((self._text, self._file))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A text in the environment, or a `Secret` from a file; dumped as asterisks."""
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), from_text],
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            custom_error_type="secret",
            custom_error_message="Input should be a text",
        )


NO_SECRET = Secret("")
"""The default of a setting that need not be given."""


def newest(secret: Secret | str) -> str:
    """The text, whether or not it is kept as a secret."""
    return secret.read() if isinstance(secret, Secret) else secret


def secret_text(file: Path) -> str:
    """The file's text without one line end at its end, which editors and `echo` add. Raises `ValueError`."""
    try:
        with file.open("rb") as opened:
            content = opened.read(SECRET_BYTES_MAX + 1)
        text = content.decode()
    except OSError as error:
        raise ValueError(f"the file {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        # Without its cause, which shows the bytes.
        raise ValueError(f"the file {file} is not UTF-8 text") from None
    if len(content) > SECRET_BYTES_MAX:
        raise ValueError(f"the file {file} has more than {SECRET_BYTES_MAX} bytes")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError(f"the file {file} is empty")
    return text
