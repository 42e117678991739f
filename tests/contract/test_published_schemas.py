"""What was published stays true: a schema may gain an optional field and nothing else, in either direction.

`published/` keeps every schema that was ever given out, one file for each name and version; an optional
field that is added later is published as a revision beside it, `<name>.v<version>.r2.schema.json` and so on.
Each file has its line in `published.sha256`, and neither is edited afterwards. A change that this refuses is
a new schema version: an upcaster, a shape in shared/contract/older_shapes.py, and golden files.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from docs.generate.schemas import all_schemas
from tests.contract.schema_compatibility import breaking_changes, same_shape

FOLDER = Path(__file__).with_name("published")
SUMS = Path(__file__).with_name("published.sha256")
PRESENT = all_schemas()
_NAME = re.compile(r"([a-z-]+\.v[0-9]+)(?:\.r([0-9]+))?\.schema\.json")


class Published(NamedTuple):
    """One file: what it is the schema of, and its revision from 1 on."""

    subject: str
    revision: int
    file: Path

    @property
    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = json.loads(self.file.read_text())
        return schema


def _parsed(file: Path) -> Published:
    match = _NAME.fullmatch(file.name)
    assert match, f"{file.name} is not named <name>.v<version>[.r<revision>].schema.json"
    return Published(match[1], int(match[2] or 1), file)


PUBLISHED = sorted(_parsed(file) for file in FOLDER.iterdir())


def test_the_bytes_of_a_published_schema_never_change() -> None:
    listed = {name: digest for digest, name in map(str.split, SUMS.read_text().splitlines())}
    assert listed == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.iterdir()}


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda one: one.file.name)
def test_no_consumer_and_no_producer_of_a_published_schema_is_broken(published: Published) -> None:
    name = f"{published.subject}.schema.json"
    assert name in PRESENT, f"{published.file.name} was published and is no longer known to the code"
    broken = breaking_changes(published.schema, PRESENT[name])
    assert broken == [], f"{name} breaks who relies on {published.file.name}; make a new schema version"


@pytest.mark.parametrize("name", PRESENT)
def test_what_the_code_says_now_is_published(name: str) -> None:
    """Else the next change would be compared with something older than what consumers have."""
    subject = name.removesuffix(".schema.json")
    revisions = [one for one in PUBLISHED if one.subject == subject]
    new = f"{subject}.r{len(revisions) + 1}.schema.json" if revisions else name
    is_published = bool(revisions) and same_shape(revisions[-1].schema, PRESENT[name])
    assert is_published, (
        f"publish it:  make docs && cp docs/schemas/{name} {_told(FOLDER)}/{new} && "
        f"(cd {_told(FOLDER)} && sha256sum {new}) >> {_told(SUMS)}"
    )


def test_revisions_are_numbered_one_by_one() -> None:
    for subject in {one.subject for one in PUBLISHED}:
        numbers = [one.revision for one in PUBLISHED if one.subject == subject]
        assert numbers == list(range(1, len(numbers) + 1)), subject


def _told(path: Path) -> str:
    return path.relative_to(Path(__file__).parents[2]).as_posix()
