"""A view's statements, for its live tables or for the shadow that a rebuild fills.

Both have the same names in different schemas (`views`, `views_shadow`), so the files are written for the live
tables, and the schema is replaced when they are loaded. A rebuild moves whole tables between the two.
"""

import re
from functools import cache

from shared.postgres.sql import load_sql

LIVE, SHADOW, PREVIOUS = "views", "views_shadow", "views_previous"


@cache
def statement(package: str, name: str, schema: str, tables: tuple[str, ...]) -> str:
    """The text of `<name>.sql` of a view's package, with these tables in this schema."""
    named = rf"\b{LIVE}\.({'|'.join(tables)})\b"
    return re.sub(named, rf"{schema}.\1", load_sql(package, name))
