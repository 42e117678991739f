"""Writes the migration that gives a database the functions of the function files."""

import re
from collections.abc import Sequence
from pathlib import Path

from deploy.sql_functions.drift import Drift
from shared.postgres.migrations import read_migrations


class CannotWrite(Exception):
    """No migration can be written; the text says what the author must do first."""


def write_migration(package: str, folder: Path, title: str, found: Sequence[Drift]) -> Path:
    """The migration with the next number and the texts of the changed files. Raises `CannotWrite`."""
    if not re.fullmatch(r"[a-z0-9_]+", title):
        raise CannotWrite(f"the title {title!r} may have small letters, digits and underscores only")
    for one in found:
        if one.file is None:
            raise CannotWrite(f"{one.text}; write the DROP FUNCTION by hand, in an after_deploy migration")
    files = [one.file for one in found if one.file is not None]
    if not files:
        raise CannotWrite("no function file differs from the migrations")
    number = len(read_migrations(package)) + 1
    written = folder / f"{number:04}_before_deploy_{title}.sql"
    names = ", ".join(one.function for one in found)
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    written.write_text(f"-- Present text of {names}.\n\n{text}", encoding="utf-8")
    return written
