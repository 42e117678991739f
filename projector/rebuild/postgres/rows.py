"""Rows that differ, each as a line for people."""

import json
from typing import TYPE_CHECKING

from projector.rebuild.difference import difference

if TYPE_CHECKING:
    import asyncpg


def row_difference(row: "asyncpg.Record", other: str | None, words: str) -> str:
    """From a row with `table_name`, `row_key` and the live version as JSON, and another version of it."""
    live = None if row["live"] is None else json.loads(row["live"])
    text = difference(live, None if other is None else json.loads(other), words)
    return f"{row['table_name']} {row['row_key']}: {text}"
