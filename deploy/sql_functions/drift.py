"""Finds the differences between a migrated database and the function files.

PostgreSQL itself reads the files: in a transaction that is rolled back, all functions are dropped and created
again from the files. So argument names, defaults, volatility, security, settings, bodies, grants and triggers
are compared as the server stores them. The layout of a file makes no difference.
"""

from collections.abc import Iterable, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_PACKAGE = "deploy.sql_functions"


class Drift(NamedTuple):
    """One function that is not the same in file and database; `text` names it and shows the difference.

    `file` None: the function of the database has no file.
    """

    function: str
    file: Path | None
    text: str


async def drifts(connection: "Connection", files: Iterable[Path]) -> list[Drift]:
    """Compare, and leave the database unchanged. Connect as the role that migrates."""
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(files)}
    migrated = await _functions(connection)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(load_sql(_PACKAGE, "drop_functions"))
        found: list[Drift] = []
        said: set[str] = set()
        for file, sql in texts.items():
            function, definition, problem = await _make(connection, file, sql)
            said.add(function)
            if problem:
                found.append(Drift(function, file, f"{file.name}: {problem}"))
            elif function not in migrated:
                found.append(
                    Drift(function, file, f"{function}: no migration creates the function of {file.name}")
                )
            elif definition != migrated[function]:
                shown = _difference(migrated[function], definition, file.name)
                found.append(
                    Drift(
                        function, file, f"{function}: {file.name} differs from the migrated database\n{shown}"
                    )
                )
    finally:
        await transaction.rollback()
    missing = [name for name in sorted(migrated) if name not in said and _bare(name) not in said]
    return found + [Drift(name, None, f"{name}: this function has no file") for name in missing]


async def _make(connection: "Connection", file: Path, sql: str) -> tuple[str, str, str]:
    """The function that a file creates, and its definition; or the file's name, '' and the error."""
    before = await _functions(connection)
    try:
        async with connection.transaction():
            await connection.execute(sql)
    except asyncpg.PostgresError as error:
        return file.stem, "", f"PostgreSQL refuses it: {error}"
    made = {name: text for name, text in (await _functions(connection)).items() if before.get(name) != text}
    if [*map(_bare, made)] != [file.stem]:
        names = ", ".join(sorted(made)) or "nothing"
        return file.stem, "", f"it creates {names}; a file must create exactly the function of its name"
    [(function, definition)] = made.items()
    return function, definition, ""


def _bare(name: str) -> str:
    """The name without the schema."""
    return name.rpartition(".")[2]


async def _functions(connection: "Connection") -> Mapping[str, str]:
    """schema.name -> its definition."""
    rows = await connection.fetch(load_sql(_PACKAGE, "select_functions"))
    return {row["name"]: row["definition"] for row in rows}


def _difference(migrated: str, from_file: str, file_name: str) -> str:
    lines = unified_diff(
        migrated.splitlines(), from_file.splitlines(), "migrated database", file_name, lineterm="", n=2
    )
    return "\n".join(lines)
