"""Every secret setting of every process, with a value that cannot be used: named, and never shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_api.replay.settings import ReplaySettings
from shared.access.client import ClientSettings
from shared.ops.secret import Secret
from shared.ops.settings import ProcessSettings, load_settings
from tests.architecture.source_files import ROOT
from tests.deploy.processes import PROCESSES

CLASSES = sorted(
    {*PROCESSES.values(), ReplaySettings, ClientSettings}, key=lambda one: (one.__module__, one.__name__)
)
ADDRESSES = ("_DSN", "_URL")
USELESS = (
    "hunter2",
    "http://hunter2@host/path",
    "{scheme}://ann:hunter2@host:hunter2/0",
    "{scheme}://ann:hunter2/more@host/0",
    "{scheme}://[hunter2",
    "{scheme}://ann:hunter2\u2100@host/0",
)
MODES = ("allow", "require", "verify-ca", "hunter2")


def secrets_of(settings: type[ProcessSettings]) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        if isinstance(field.default, Secret):
            yield name.upper()


CASES = [(one, name) for one in CLASSES for name in secrets_of(one)]
DSNS = [case for case in CASES if case[1].endswith("_DSN")]


def test_every_process_has_secrets() -> None:
    """Or nothing below is tested."""
    assert {one for one, _ in CASES} == set(CLASSES)
    assert {"EVENT_STORE_DSN", "READ_MODEL_DSN", "REDIS_URL", "SMTP_URL", "KAFKA_SASL_PASSWORD"} <= {
        name for _, name in CASES
    }


def test_the_page_of_secrets_names_the_file_of_every_secret() -> None:
    page = (ROOT / "docs" / "secured-servers.md").read_text()
    assert [name for _, name in CASES if f"`{name}_FILE`" not in page] == []


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("settings", "name"), CASES)
def test_a_useless_address_ends_the_start_without_showing_it(
    settings: type[ProcessSettings],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scheme = {"REDIS_URL": "redis", "SMTP_URL": "smtp", "SEARCH_URL": "https"}.get(name, "postgresql")
    for number, template in enumerate(USELESS if name.endswith(ADDRESSES) else ()):
        text = template.replace("{scheme}", scheme)
        for variable, value in ((name, text), (f"{name}_FILE", str(tmp_path / f"{number}"))):
            (tmp_path / f"{number}").write_text(text)
            with monkeypatch.context() as environment:
                environment.setenv(variable, value)
                with pytest.raises(SystemExit) as ended:
                    load_settings(settings)
            assert ended.value.code == 2, text
            said = capsys.readouterr()
            assert said.err.startswith(f"{name}: "), text
            assert "hunter2" not in said.err + said.out, text


@pytest.mark.parametrize(("settings", "name"), DSNS)
def test_a_mode_that_does_not_verify_the_server_is_refused(
    settings: type[ProcessSettings],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for mode in MODES:
        monkeypatch.setenv(name, f"postgresql://ann@host/db?sslmode={mode}")
        with pytest.raises(SystemExit):
            load_settings(settings)
        assert "sslmode must be verify-full, or disable" in capsys.readouterr().err
    monkeypatch.setenv(name, "postgresql://ann@host/db?sslmode=verify-full&sslrootcert=/nowhere.pem")
    with pytest.raises(SystemExit):
        load_settings(settings)
    assert capsys.readouterr().err.strip().endswith("sslrootcert: the file /nowhere.pem does not exist")


@pytest.mark.parametrize(("settings", "name"), DSNS)
def test_a_server_that_is_to_be_verified_needs_its_authority(
    settings: type[ProcessSettings],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    monkeypatch.setenv(name, "postgresql://ann@host/db?sslmode=verify-full")
    with pytest.raises(SystemExit):
        load_settings(settings)
    assert "sslmode=verify-full needs sslrootcert" in capsys.readouterr().err
    authority = tmp_path / ".postgresql" / "root.crt"
    authority.parent.mkdir()
    authority.touch()
    load_settings(settings)
    monkeypatch.setenv("PGSSLROOTCERT", str(tmp_path / "another.crt"))
    with pytest.raises(SystemExit):
        load_settings(settings)


@pytest.mark.parametrize(("settings", "name"), CASES)
def test_a_file_beside_the_variable_is_refused_and_both_are_named(
    settings: type[ProcessSettings],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "secret").write_text("hunter2")
    monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    with pytest.raises(SystemExit) as ended:
        load_settings(settings)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{name}_FILE: {name} is set as well: set only one of the two\n"
