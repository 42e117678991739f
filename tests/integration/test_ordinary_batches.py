"""Ordinary batches take no transaction; whatever is not ordinary still does, and nothing of it is lost."""

import re
from pathlib import Path
from typing import Any

import pytest

import projector.views.postgres
from shared.contract import events as e
from tests.integration.view_world import Feed, Log, log, parked, read_model, table
from tests.table_projections import TABLES
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["log", "read_model"]
pytestmark = pytest.mark.servers
PACKAGES = Path(projector.views.postgres.__file__).parents[2]


class Counting:
    """A view's transactions, counted."""

    def __init__(self, view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        begin = view.begin

        def counted(reached: Any) -> Any:
            self.begun += 1
            return begin(reached)

        monkeypatch.setattr(view, "begin", counted)

    def since(self) -> int:
        """Since it was asked last."""
        begun, self.begun = self.begun, 0
        return begun


@pytest.mark.parametrize("name", TABLES)
async def test_only_the_first_batch_of_a_partition_and_what_is_not_ordinary_take_a_transaction(
    name: str, read_model: Any, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = table(read_model, name=name)
    feed, counting = Feed(view, log, read_model=read_model), Counting(view, monkeypatch)
    one = history(
        new_product_id(), created(category="a/b"), priced("2.00"), e.ProductPublished(), priced("3.00"),
        e.VariantAdded("S-2", {}, e.Money("1.00", "EUR")), e.VariantRemoved("S-2"), priced("4.00"),
    )  # fmt: skip
    other = history(new_product_id(), created(category="a/b"), e.ProductPublished())
    await log.keep(one)
    await feed.deliver(one[0])
    assert counting.since() == 1
    for batch in (one[1:2], [one[2], *other], one[3:4]):
        await feed.deliver(*batch)
        assert counting.since() == 0
    # Duplicates alone; and a gap, which is filled from the log.
    for batch, newest in ((one[:4], 4), (one[6:], 7)):
        await feed.deliver(*batch)
        assert counting.since() == 1
        assert await feed.shows(one[0].product_id) == feed.folded(one[:newest])
        counting.since()
    assert await feed.shows(other[0].product_id) == feed.folded(other)


async def test_a_category_that_gets_empty_takes_a_transaction_and_goes(
    read_model: Any, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = table(read_model, name="category_view")
    feed, counting = Feed(view, log, read_model=read_model), Counting(view, monkeypatch)
    one = history(
        new_product_id(),
        created(category="a/b"),
        e.ProductDetailsChanged(category="a/c"),
        e.ProductPublished(),
    )
    await feed.deliver(one[0])
    counting.since()
    await feed.deliver(one[1])
    assert counting.since() == 1
    await feed.deliver(one[2])
    assert counting.since() == 0
    found = await read_model.fetch(
        "SELECT path, subtree_draft, subtree_active FROM views.category_view_category ORDER BY path"
    )
    assert [tuple(row) for row in found] == [("a", 0, 1), ("a/c", 0, 1)]


async def test_what_the_store_refuses_is_found_and_parked_by_the_transaction(
    read_model: Any, log: Log
) -> None:
    feed = Feed(table(read_model), log, read_model=read_model)
    good, bad = (history(new_product_id(), created(text), priced("2.00")) for text in ("good", "nul\0"))
    await feed.deliver(*history(new_product_id(), created("first")))
    await feed.deliver(good[0], bad[0], good[1], bad[1])
    assert await feed.shows(good[0].product_id) == feed.folded(good)
    assert [row["stream_version"] for row in await parked(read_model)] == [1, 2]


def test_a_batch_in_one_statement_does_what_its_statements_do_one_by_one() -> None:
    statements = sorted(PACKAGES.rglob("apply_at_once.sql"))
    assert statements
    moving = _without_numbers(PACKAGES / "views/postgres/move_checkpoints.sql")
    common = _without_numbers(PACKAGES / "views/postgres/at_once.sql")
    assert moving[moving.index("SET next_offset") : moving.index("FROM moves")] in common
    for file in statements:
        whole = _without_numbers(file)
        description = file.read_text().partition("\nwritten AS")[0]
        names = set(re.findall(r"(\w+)\.sql", description)) - {"at_once"}
        assert names
        for name in names:
            alone = _without_numbers(file.parent / f"{name}.sql")
            alone = alone.partition(" RETURNING")[0]
            for part in re.split(r" (?=ORDER BY|ON CONFLICT)", alone):
                assert part in whole, (file, name, part)


def _without_numbers(file: Path) -> str:
    """Without comments, line breaks, and the numbers of arguments."""
    text = " ".join(line for line in file.read_text().splitlines() if not line.lstrip().startswith("--"))
    return re.sub(r"\s+", " ", re.sub(r"\$\d+", "$", text)).replace("( ", "(").replace(" )", ")")
