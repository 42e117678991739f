"""Loads SQL from .sql files: editors highlight them, reviewers read them, and a test prepares each of
them.
"""

from functools import cache
from importlib import resources


@cache
def load_sql(package: str, name: str) -> str:
    """The text of `<folder of package>/<name>.sql`, read once per process.

    Raises LookupError with the file and the package, so that a wrong name shows at the first call. An OSError
    would be taken for an outage.
    """
    file = resources.files(package) / f"{name}.sql"
    if not file.is_file():
        raise LookupError(f"there is no {name}.sql in the package {package}")
    return file.read_text(encoding="utf-8")
