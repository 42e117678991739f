"""The commands in our pages are found and complete; `test_docker_commands.py` runs them in containers."""

import pytest

from tests.deploy.documented_commands import commands, filled_in

_MUST_BE_FOUND = [
    "projector pause", "projector resume", "projector dead-letters list", "projector dead-letters show",
    "projector dead-letters retry", "projector dead-letters discard", "projector audit", "projector verify",
    "projector rebuild", "projector status", "command_api replay", "command_api import",
]  # fmt: skip


@pytest.mark.parametrize("beginning", _MUST_BE_FOUND)
def test_each_command_of_an_operator_is_found_in_a_page(beginning: str) -> None:
    assert any(str(one).startswith(beginning) for one in commands())


def test_the_shell_around_a_command_is_left_out() -> None:
    words = {word for one in commands() for word in one.words}
    assert not words & {"|", "<", ">", "&&", ";", "token", "done"}


def test_what_stands_for_something_is_filled_in() -> None:
    for one in commands():
        words = filled_in(one.words, "A-PRODUCT", "/A-FILE", "/A-TOKEN")
        assert not {"$ID", "$name", "NAME", "FILE", "N"} & {*words}, one
        assert all(words[n + 1] == "/A-TOKEN" for n, word in enumerate(words) if word == "--token-file"), one
