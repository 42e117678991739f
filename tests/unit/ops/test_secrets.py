"""A secret may be a file: it is read, read again, and never shown."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.ops.secret import NO_SECRET, SECRET_BYTES_MAX, Secret
from shared.ops.secret_files import SecretFilesAreWrong
from shared.ops.settings import ProcessSettings, load_settings


class Settings(ProcessSettings):
    store_dsn: Secret = Secret("postgresql://h/default")
    optional_key: Secret | None = None
    client_secret: Secret = NO_SECRET
    path_file: str = ""


WriteFile = Callable[[str, str | bytes], Path]


@pytest.fixture
def write_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteFile:
    monkeypatch.chdir(tmp_path)
    for name in ("STORE_DSN", "OPTIONAL_KEY", "CLIENT_SECRET", "STORE_DSN_FILE", "OPTIONAL_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def write(variable: str, content: str | bytes) -> Path:
        file = tmp_path / variable.lower()
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.setenv(variable, str(file))
        return file

    return write


def test_a_file_gives_each_secret_also_an_optional_one(write_file: WriteFile) -> None:
    write_file("STORE_DSN_FILE", "postgresql://h/a")
    write_file("OPTIONAL_KEY_FILE", "a key")
    write_file("CLIENT_SECRET_FILE", "shh")
    settings = load_settings(Settings)
    assert settings.optional_key is not None
    assert (settings.store_dsn.read(), settings.optional_key.read()) == ("postgresql://h/a", "a key")
    assert settings.client_secret.read() == "shh"


def test_a_file_named_in_the_env_file_counts_too(tmp_path: Path, write_file: WriteFile) -> None:
    (tmp_path / "dsn").write_text("postgresql://h/a")
    (tmp_path / ".env").write_text(f"STORE_DSN_FILE={tmp_path / 'dsn'}\nSTORE_DSN=\n")
    assert load_settings(Settings).store_dsn.read() == "postgresql://h/a"


@pytest.mark.parametrize(
    ("content", "text"), [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("ä", "ä")]
)
def test_one_line_end_at_the_end_is_dropped_and_nothing_else(
    write_file: WriteFile, content: str, text: str
) -> None:
    write_file("STORE_DSN_FILE", content)
    assert load_settings(Settings).store_dsn.read() == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        (b"hunter2\xff", "is not UTF-8 text"),
        ("hunter2" * SECRET_BYTES_MAX, f"has more than {SECRET_BYTES_MAX} bytes"),
    ],
)
def test_a_useless_file_ends_the_start_with_its_variable_and_no_content(
    write_file: WriteFile, capsys: pytest.CaptureFixture[str], content: str | bytes, reason: str
) -> None:
    file = write_file("STORE_DSN_FILE", content)
    with pytest.raises(SystemExit) as ended:
        load_settings(Settings)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"STORE_DSN_FILE: the file {file} {reason}\n"


def test_a_missing_file_and_one_beside_its_variable_are_both_named(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_file("STORE_DSN_FILE", "postgresql://h/a").unlink()
    write_file("CLIENT_SECRET_FILE", "shh")
    monkeypatch.setenv("CLIENT_SECRET", "hunter2")
    with pytest.raises(SystemExit) as ended:
        load_settings(Settings)
    assert ended.value.code == 2
    missing, both = capsys.readouterr().err.splitlines()
    assert missing.startswith("STORE_DSN_FILE: the file ")
    assert missing.endswith(" cannot be read: No such file or directory")
    assert both == "CLIENT_SECRET_FILE: CLIENT_SECRET is set as well: set only one of the two"


def test_a_setting_that_is_no_secret_has_no_file(write_file: WriteFile) -> None:
    write_file("LOG_LEVEL_FILE", "DEBUG")
    write_file("PATH_FILE_FILE", "x")
    settings = load_settings(Settings)
    assert (settings.log_level, settings.path_file) == ("INFO", "")


def test_tests_may_pass_a_text_and_a_wrong_one_raises_without_the_process_ending(
    write_file: WriteFile,
) -> None:
    assert Settings(store_dsn="postgresql://h/b").store_dsn.read() == "postgresql://h/b"  # type: ignore[arg-type]
    write_file("STORE_DSN_FILE", "")
    with pytest.raises(SecretFilesAreWrong, match="STORE_DSN_FILE"):
        Settings()


def test_a_secret_follows_its_file_and_keeps_its_last_value_while_there_is_none(
    write_file: WriteFile,
) -> None:
    file = write_file("STORE_DSN_FILE", "first")
    secret = load_settings(Settings).store_dsn
    louder = secret.changed(str.upper)
    copy = pickle.loads(pickle.dumps(secret))  # as a rebuild hands it to its workers
    new = file.with_suffix(".new")
    new.write_text("second\n")
    os.replace(new, file)
    assert (secret.read(), louder.read(), copy.read()) == ("second", "SECOND", "second")
    file.unlink()
    assert (secret.read(), louder.read()) == ("second", "SECOND")


def test_a_file_that_cannot_be_read_is_logged_once_until_it_could_be_read_again(
    write_file: WriteFile,
) -> None:
    file = write_file("STORE_DSN_FILE", "first")
    secret = Secret.from_file(file)
    with capture_logs() as lines:
        for content in ("", "", "second", "", "third"):
            file.write_text(content)
            secret.read()
            secret.read()
    assert [line["event"] for line in lines] == ["a secret keeps its last value"] * 2
    assert secret.read() == "third"


def test_a_secret_shows_itself_nowhere(write_file: WriteFile) -> None:
    write_file("STORE_DSN_FILE", "hunter2")
    write_file("CLIENT_SECRET_FILE", "hunter2")
    settings = load_settings(Settings)
    shown = [repr(settings), str(settings), str(settings.store_dsn), f"{settings.store_dsn}"]
    shown += [settings.model_dump_json(), str(settings.model_dump()), repr([settings.store_dsn.changed(str)])]
    assert [text for text in shown if "hunter2" in text] == []
    assert not Secret("")
