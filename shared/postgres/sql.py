"""SQL lives in .sql files: reviewed as SQL, highlighted as SQL, and each prepared against the schema in a
test.
"""

from functools import cache
from importlib import resources


@cache
def load_sql(package: str, name: str) -> str:
    """The text of `<folder of package>/<name>.sql`, read once per process.

    Raises LookupError naming the file and the package: a misspelt name shows at the first call. No OSError,
    which would pass for an outage.
    """
    file = resources.files(package) / f"{name}.sql"
    if not file.is_file():
        raise LookupError(f"there is no {name}.sql in the package {package}")
    return file.read_text(encoding="utf-8")
