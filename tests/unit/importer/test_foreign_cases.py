"""Files that broke the importers of other systems (their issue trackers): here they load twice, unchanged."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.importer.batch_stand_in import BatchStandIn
from tests.unit.importer.import_runs import imported

HEADER = ("Handle", "Title", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Price", "Image Src")


def written(*rows: Sequence[str], end: str = "\n") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([HEADER, *rows])
    return text.getvalue()


ONE = ("a", "A", "", "", "X", "1", "")
TWO_OF_200 = [
    (f"p{number}", "P", "Size", size, f"{size}{number}", "1", "") for number in range(201) for size in "SM"
]


@pytest.mark.parametrize(
    ("content", "variants"),
    [
        pytest.param(
            written(("a", "A", "Size", "S", "", "1", ""), ("a", "", "", "M", "", "2", "")),
            2,
            id="woocommerce-19213-variants-double",
        ),
        pytest.param(
            written(("a", "A", "Size", "a, b", "X", "1", ""), ("a", "", "", "c", "Y", "1", "")),
            2,
            id="woocommerce-24800-comma-in-option",
        ),
        pytest.param(
            written(("a", "A", "", "", "X", "1", "https://e.org/1_High,_London.jpg")),
            1,
            id="woocommerce-24110-comma-in-address",
        ),
        pytest.param(
            written(("a", "A", "Pos:x", "a===b:c", "X", "1", "")), 1, id="prestashop-17604-signs-in-option"
        ),
        pytest.param(written(("a", "A", "", "", "9'2\"", "1", "")), 1, id="sphere-149-quotes-in-sku"),
        pytest.param(written(("a", "Your Cat's", "", "", "X", "1", "")), 1, id="medusa-13453-apostrophe"),
        pytest.param(
            written(
                ("a", "A", "Size", "S", "X", "1", "https://e/1.jpg"),
                ("a", "A", "Size", "M", "Y", "1", "https://e/1.jpg"),
            ),
            2,
            id="sphere-324-all-rows-filled",
        ),
        pytest.param("\u200b" + written(ONE), 1, id="import-cli-simple-254-hidden-character"),
        pytest.param("\ufeff" + written(ONE), 1, id="pimgento-215-byte-order-mark"),
        pytest.param(written(ONE, end="\r"), 1, id="line-ends-of-old-macs"),
        pytest.param(written(ONE, end="\r\r\n"), 1, id="line-ends-converted-twice"),
        pytest.param("\n,,,\n" + written(ONE).rstrip(), 1, id="blank-lines-first-and-no-last-line-end"),
        pytest.param(
            written(("a", "A\u2028B\x85C", "", "", "X", "1", "")), 1, id="line-separators-of-unicode"
        ),
        pytest.param(written(*TWO_OF_200), 402, id="magento-6380-product-across-batches"),
    ],
)
def test_it_loads_and_a_second_run_changes_nothing(
    api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, variants: int
) -> None:
    file = tmp_path / "shop.csv"
    file.write_bytes(content.encode())
    assert imported(file, "--url", api.url) == 0
    assert sum(len(each["body"]["variants"]) for each in api.products.values()) == variants
    events = api.events
    capsys.readouterr()
    assert imported(file, "--url", api.url, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["created"], summary["changed"], api.events) == (0, 0, events)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param(
            [("", "Internal", "", "", "", "0", "")],
            "line 2: Handle is empty",
            id="woocommerce-23257-row-without-key",
        ),
        pytest.param(
            [ONE, ("", "", "Size", "M", "Y", "1", "")],
            "line 3: Handle is empty",
            id="medusa-6683-variant-row-without-key",
        ),
        pytest.param([ONE, ONE], "SKU 'X' stands on lines 2 and 3", id="akeneo-4992-equal-rows"),
        pytest.param(
            [(*ONE[:5], "5,00", "")],
            "line 2: Variant Price '5,00'",
            id="prestashop-decimal-comma",
        ),
    ],
)
def test_it_is_refused_with_its_line_and_nothing_half_done(
    api: BatchStandIn, tmp_path: Path, rows: Sequence[Sequence[str]], said: str
) -> None:
    file = tmp_path / "shop.csv"
    file.write_text(written(*rows))
    assert imported(file, "--url", api.url) == 3
    assert said in file.with_name("shop.csv.rejected.csv").read_text()
