"""What `replay` refuses before it does anything: exit code 2 and a message that names the argument."""

import pytest

from command_api.__main__ import main
from shared.contract.codec import STORED_TYPES


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--topic"),
        (["--topic", "a b"], "'a b' is not a topic name"),
        (["--topic", ".."], "'..' is not a topic name"),
        (["--topic", "x" * 250], "is not a topic name"),
        (["--topic", "t", "--from", "5", "--to", "4"], "--from 5 is greater than --to 4"),
        (["--topic", "t", "--from", "0"], "argument --from: '0' is not a log position"),
        (["--topic", "t", "--from", "-1"], "argument --from"),
        (["--topic", "t", "--to", "1.5"], "argument --to: '1.5' is not a log position"),
        (["--topic", "t", "--to", "²"], "argument --to: '²' is not a log position"),
        (["--topic", "t", "--to", str(2**63)], "argument --to"),
        (["--topic", "t", "--product", "7"], "argument --product: '7' is not a product id"),
        (["--topic", "t", "--rate", "0"], "argument --rate: '0' is not a number of events per second"),
        (["--topic", "t", "--rate", "inf"], "argument --rate"),
        (["--topic", "t", "--rate", "fast"], "argument --rate"),
        (["--topic", "products-created"], "products-created does not carry product-details-changed, "),
        (["--topic", "products-deleted", "--type", "product-created"], "does not carry product-created: "),
        (["--topic", "products-updated", "--type", "product-deleted"], "does not carry product-deleted: "),
        (
            ["--topic", "t", "--type", "product-sold"],
            "argument --type: 'product-sold' is not an event type",
        ),
    ],
)
def test_what_makes_no_sense_is_wrong_usage_and_named(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_an_unknown_type_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["replay", "--topic", "t", "--type", "product-created", "--type", "x"])
    told = capsys.readouterr().err
    assert all(stored.event_type in told for stored in STORED_TYPES)


def test_a_setting_that_makes_no_sense_is_wrong_usage_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARTITION_COUNT", "many")
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--topic", "t"])
    assert ended.value.code == 2
    assert "PARTITION_COUNT" in capsys.readouterr().err
