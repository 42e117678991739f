"""A wrong variable ends the start with its name and a reason, and never with its value."""

from pathlib import Path

import pytest
from pydantic import Field, PostgresDsn, ValidationError

from shared.ops.settings import ProcessSettings, load_settings


class Settings(ProcessSettings):
    store_dsn: PostgresDsn
    batch_events_max: int = Field(default=100, ge=1)
    topics: list[str] = []


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STORE_DSN", "BATCH_EVENTS_MAX", "LOG_LEVEL", "TOPICS", "LISTEN_HOST"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_wins_over_the_env_file_and_unknown_lines_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("STORE_DSN=postgresql://h/a\nBATCH_EVENTS_MAX=7\nOF_ANOTHER_PROCESS=1\n")
    monkeypatch.setenv("BATCH_EVENTS_MAX", "8")
    settings = load_settings(Settings)
    assert (str(settings.store_dsn), settings.batch_events_max) == ("postgresql://h/a", 8)


def test_every_wrong_variable_gets_one_line_that_names_it_and_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORE_DSN", "mysql://user:hunter2@host/db")
    monkeypatch.setenv("BATCH_EVENTS_MAX", "0")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(SystemExit) as exit_info:
        load_settings(Settings)
    assert exit_info.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["LOG_LEVEL", "STORE_DSN", "BATCH_EVENTS_MAX"]
    assert "hunter2" not in "".join(lines)
    assert "greater than or equal to 1" in lines[2]


def test_a_missing_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load_settings(Settings)
    assert capsys.readouterr().err == "STORE_DSN: Field required\n"


def test_a_list_that_is_not_json_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORE_DSN", "postgresql://h/a")
    monkeypatch.setenv("TOPICS", "hunter2")
    with pytest.raises(SystemExit):
        load_settings(Settings)
    assert capsys.readouterr().err == "TOPICS: Input should be valid JSON\n"


def test_settings_cannot_be_changed_after_the_start() -> None:
    settings = ProcessSettings()
    with pytest.raises(ValidationError):
        settings.log_level = "DEBUG"  # type: ignore[misc]
