"""What is exported can be imported again, and changes nothing; the files are real ones."""

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.evidence import newest_position
from tests.end_to_end.imports import DATA, products_by_slug, run_import
from tests.end_to_end.system import System

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("wanted", ["csv", "ndjson"])
async def test_an_import_of_an_export_changes_nothing(
    system: System, catalogue: Catalogue, tmp_path: Path, wanted: str
) -> None:
    start = await newest_position(system)
    there = await products_by_slug(system, start)
    for file in (DATA / "shopify.csv", DATA / "import" / "full.csv"):
        code, summary = await run_import(system, Path(shutil.copy(file, tmp_path)))
        assert (code, summary["rejected"]) == (0, 0), summary
    imported = await products_by_slug(system, start)
    answer = await catalogue.read_as_it_is(
        f"/v1/products/export?format={wanted}&status=draft,active,archived"
    )
    assert answer.status_code == 200
    exported = tmp_path / f"exported.{wanted}"
    exported.write_bytes(answer.content)
    position = await newest_position(system)
    code, summary = await run_import(system, exported)
    assert (code, summary["rejected"]) == (0, 0), summary
    assert summary["products"] == int(answer.headers["product-count"]) >= 8
    assert (summary["unchanged"], await newest_position(system)) == (summary["products"], position)
    # Others import these files, too, and count what is new.
    for slug in imported.keys() - there.keys():
        deleted = await catalogue.write("DELETE", f"/v1/products/{imported[slug]['id']}")
        assert deleted.status_code == 204
