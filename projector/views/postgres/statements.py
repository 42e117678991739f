"""A view's statements, for its live tables or for the shadow that a rebuild fills.

Both have the same names in different schemas (`views`, `views_shadow`), so the files are written for the live
tables, and the schema is replaced when they are loaded. A rebuild moves whole tables between the two.
"""

import re
from functools import cache

from shared.postgres.sql import load_sql

_PACKAGE = "projector.views.postgres"
_OWN_PART = "-- the view's apply_at_once.sql stands here\n"
LIVE, SHADOW, PREVIOUS = "views", "views_shadow", "views_previous"


@cache
def statement(package: str, name: str, schema: str, tables: tuple[str, ...]) -> str:
    """The text of `<name>.sql` of a view's package, with these tables in this schema."""
    return _in_schema(load_sql(package, name), schema, tables)


@cache
def at_once(package: str, name: str, schema: str, tables: tuple[str, ...]) -> str:
    """The statement of an ordinary batch: `at_once.sql` with `<name>.sql` of a view's package in it."""
    begin, end = load_sql(_PACKAGE, "at_once").split(_OWN_PART)
    own = load_sql(package, name).rstrip()
    return _in_schema(f"{begin}{own},\n{end}", schema, tables)


def _in_schema(sql: str, schema: str, tables: tuple[str, ...]) -> str:
    named = rf"\b{LIVE}\.({'|'.join(tables)})\b"
    return re.sub(named, rf"{schema}.\1", sql)
