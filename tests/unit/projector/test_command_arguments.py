"""What the projector's command line refuses before it connects to anything."""

from argparse import ArgumentParser

import pytest

from projector.operators.command_line.dead_letters import add_dead_letter_arguments
from projector.operators.command_line.rebuild import add_rebuild_arguments
from projector.operators.command_line.verify import add_verify_arguments


@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_a_sample_of_no_products_is_refused_because_it_proves_nothing(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    add_verify_arguments(parser)
    assert parser.parse_args(["--sample", "1"]).sample == 1
    _refused(parser, [f"--sample={number}"])
    assert "is not a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--workers", "--live-lag-max"])
def test_a_rebuild_needs_a_worker_and_a_limit_above_zero(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    add_rebuild_arguments(parser)
    _refused(parser, ["product_view", option, "0"])
    assert "is not a whole number of at least 1" in capsys.readouterr().err


def test_a_misspelt_error_class_is_refused_and_not_taken_for_one_without_dead_letters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = ArgumentParser()
    add_dead_letter_arguments(parser)
    assert parser.parse_args(["list", "--class", "undecodable"]).error_class == "undecodable"
    _refused(parser, ["list", "--class", "undecodeable"])
    assert "'unreadable-record', 'undecodable'" in capsys.readouterr().err


def test_show_has_no_option_for_a_class_that_it_would_ignore() -> None:
    parser = ArgumentParser()
    add_dead_letter_arguments(parser)
    _refused(parser, ["show", "--class", "undecodable"])


def _refused(parser: ArgumentParser, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(arguments)
    assert ended.value.code == 2
