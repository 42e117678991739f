"""The addresses of the user's own servers, which may be in files."""

from pathlib import Path

import pytest

from deploy.local.errors import LocalStackError
from deploy.local.settings import StackSettings
from deploy.local.shell import environment_of_shell
from deploy.local.stack import build_stack


def test_an_address_in_a_file_is_the_users_own_and_processes_see_one_of_the_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis").write_text("rediss://ann:hunter2@cache.test/0\n")
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "redis"))
    settings = StackSettings.read(tmp_path)
    assert not settings.starts_redis
    for process in build_stack(settings, lambda _name: lambda _state: None).processes:
        environment = process.command().full_environment()
        assert environment["REDIS_URL"] == "rediss://ann:hunter2@cache.test/0"
        assert environment["REDIS_URL_FILE"] == ""
        assert "hunter2" not in " ".join(process.command().argv)


def test_an_address_that_is_given_twice_or_not_readable_is_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(LocalStackError, match=r"SMTP_URL_FILE: the file .* cannot be read"):
        StackSettings.read(tmp_path)
    monkeypatch.setenv("SMTP_URL", "smtp://ann:hunter2@mail.test")
    with pytest.raises(LocalStackError) as refusal:
        StackSettings.read(tmp_path)
    assert str(refusal.value) == "SMTP_URL_FILE: SMTP_URL is set as well: set only one of the two"


def test_in_a_shell_of_the_stack_the_servers_of_the_stack_are_not_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    outside = StackSettings.read(tmp_path)
    assert not outside.starts_redis
    assert outside.starts_kafka
    for name, value in environment_of_shell(outside).items():
        monkeypatch.setenv(name, value)
    assert StackSettings.read(tmp_path) == outside


def test_commands_in_a_shell_have_the_roles_that_may_write(tmp_path: Path) -> None:
    variables = environment_of_shell(StackSettings.read(tmp_path))
    assert "//catalogue_writer:" in variables["EVENT_STORE_DSN"]
    assert "//catalogue_projector:" in variables["READ_MODEL_DSN"]
