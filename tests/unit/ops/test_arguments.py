"""A wrong argument is refused in words for the user: no name of a function, no argument nobody typed."""

import argparse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from command_api.command_line import command_parser
from deploy.local.command_line import local_parser
from projector.operators.command_line.commands import projector_parser

PARSERS = {"command_api": command_parser, "projector": projector_parser, "deploy.local": local_parser}


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from arguments_of(command)
        else:
            yield action


@pytest.mark.parametrize("program", PARSERS)
def test_no_argument_is_refused_with_the_name_of_a_function(program: str) -> None:
    for action in arguments_of(PARSERS[program]()):
        if action.type in (None, Path):
            continue
        assert callable(action.type)
        for wrong in ("abc", "-1", "\N{SUPERSCRIPT TWO}"):
            # argparse prints the name of the function for any other error.
            with suppress(argparse.ArgumentTypeError):
                action.type(wrong)


@pytest.mark.parametrize(
    ("variables", "arguments", "complaint"),
    [
        ({}, ["--count", "abc"], "argument --count: 'abc' is not a whole number of at least 0"),
        ({}, ["--seed", "-1"], "argument --seed: '-1' is not a whole number of at least 0"),
        ({}, ["--url", "ftp://api"], "'ftp://api' is not an http or https address\n"),
        ({}, ["--url", "http://api:0"], "the port of 'http://api:0' is not from 1 to 65535\n"),
        (
            {"COMMAND_PORT": "99999"},
            [],
            "the port of 'http://127.0.0.1:99999' is not from 1 to 65535 (from COMMAND_PORT)\n",
        ),
        ({"COMMAND_URL": "api"}, [], "'api' is not an http or https address (from COMMAND_URL)\n"),
    ],
)
def test_a_wrong_argument_of_seed_is_named_with_its_origin(
    variables: dict[str, str],
    arguments: list[str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        command_parser().parse_args(["seed", *arguments])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
