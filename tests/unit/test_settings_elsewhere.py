"""Where others reach a process: no development default counts, and every address is read at start."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args
from hypothesis import example, given
from hypothesis import strategies as st

from command_api.replay.settings import ReplaySettings
from command_api.settings import CommandSettings
from projector.settings import ProjectorSettings
from query_api.settings import QuerySettings
from shared.ops.development import development_fields
from shared.ops.secret import Secret
from shared.ops.settings import ProcessSettings, load_settings
from shared.postgres.dsn import WrongDsn, read_dsn
from tests.architecture.source_files import ROOT, nobody
from tests.deploy.processes import JOBS, PROCESSES

CLASSES = sorted({*PROCESSES.values(), ReplaySettings}, key=lambda one: (one.__module__, one.__name__))
EVERYWHERE = "0.0.0.0"
ISSUER = {"AUTH_ISSUER": "https://issuer.example"}
MAILS = {"SMTP_URL": "smtp://mail", "NOTIFICATION_RECIPIENTS": "ann@shop.test"}
WEBHOOKS = {"WEBHOOK_SECRET_KEY": "seals the keys of endpoints"}
ONLY_ON_ONE_MACHINE = ("127.0.0.1", "localhost", "development")


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def _text(default: Any) -> str:
    return str(default.read() if isinstance(default, Secret) else default)


def _refused(
    settings: type[ProcessSettings],
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> list[str]:
    """The lines on standard error; none: it would start."""
    with monkeypatch.context() as variables:
        for name, value in environment.items():
            variables.setenv(name, value)
        with suppress(SystemExit):
            load_settings(settings)
    return capsys.readouterr().err.splitlines()


def _unmarked(settings: type[ProcessSettings]) -> Iterator[str]:
    marked = {name for name, _, _ in development_fields(settings)}
    for name, field in settings.model_fields.items():
        told = any(word in _text(field.default) for word in ONLY_ON_ONE_MACHINE)
        if told and name not in marked and name != "listen_host":
            yield f"{settings.__name__}.{name}: mark it, its default is for one machine"


def test_every_default_that_names_this_machine_is_marked() -> None:
    nobody(line for one in CLASSES for line in _unmarked(one))


def test_a_default_without_a_mark_is_noticed() -> None:
    class Forgotten(ProcessSettings):
        other_dsn: str = "postgresql://127.0.0.1/other"

    assert len(list(_unmarked(Forgotten))) == 1


@pytest.mark.parametrize("settings", CLASSES)
def test_elsewhere_each_unset_one_is_named_in_a_line_and_no_password_is_shown(
    settings: type[ProcessSettings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _refused(settings, {"LISTEN_HOST": EVERYWHERE, **MAILS, **WEBHOOKS}, monkeypatch, capsys)
    names = [name.upper() for name, _, _ in development_fields(settings)]
    assert names
    why = f"LISTEN_HOST is {EVERYWHERE}; its default is for development on one machine"
    assert lines == [f"{name}: is needed, because {why}" for name in names]
    assert _refused(settings, {"LISTEN_HOST": "127.0.0.1", **MAILS}, monkeypatch, capsys) == []


def _given(settings: type[ProcessSettings], **changed: str) -> dict[str, str]:
    """Every development default, but given; with an address for readers and a key of its own."""
    found = {name.upper(): _text(field.default) for name, field, _ in development_fields(settings)}
    own = {"READ_URL": "https://shop.example.com", "CURSOR_SIGNING_KEY": "a key of ours"}
    return {
        "LISTEN_HOST": EVERYWHERE,
        **{name: own.get(name, value) for name, value in found.items()},
        **changed,
    }


@pytest.mark.parametrize("settings", CLASSES)
def test_elsewhere_a_given_address_counts_also_if_it_is_the_default(
    settings: type[ProcessSettings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proxy in the same pod listens on 127.0.0.1."""
    assert _refused(settings, _given(settings), monkeypatch, capsys) == []


def test_elsewhere_the_published_signing_key_is_refused_however_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    published = _text(QuerySettings.model_fields["cursor_signing_key"].default)
    (tmp_path / "key").write_text(published)
    without = _given(QuerySettings)
    del without["CURSOR_SIGNING_KEY"]
    for given_as in ({"CURSOR_SIGNING_KEY": published}, {"CURSOR_SIGNING_KEY_FILE": str(tmp_path / "key")}):
        (line,) = _refused(QuerySettings, {**without, **given_as}, monkeypatch, capsys)
        assert line.startswith("CURSOR_SIGNING_KEY: everybody can read this value")
        assert published not in line


@pytest.mark.parametrize(
    "url",
    [
        "http://query-api",
        "http://query-api:8001",
        "https://query-api.catalogue.svc",
        "http://q.svc.cluster.local",
    ],
)
@pytest.mark.parametrize("settings", [CommandSettings, ProjectorSettings])
def test_elsewhere_readers_are_not_sent_to_a_name_that_only_a_cluster_knows(
    settings: type[ProcessSettings],
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = _refused(settings, _given(settings, READ_URL=url, **MAILS), monkeypatch, capsys)
    assert line.startswith("READ_URL: is the address that clients get, and only this network knows its name")


def test_without_mails_the_projector_needs_no_address_for_readers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given_all = _given(ProjectorSettings)
    del given_all["READ_URL"], given_all["NOTIFICATION_SENDER"]
    assert _refused(ProjectorSettings, given_all, monkeypatch, capsys) == []
    assert len(_refused(ProjectorSettings, {**given_all, **MAILS}, monkeypatch, capsys)) == 2


# In each the host, the user or the password has `hunter2`, which no line may show.
WRONG = {
    "EVENT_STORE_DSN": [
        "",
        "hunter2",
        "mysql://hunter2@host/db",
        "postgresql://",
        "postgresql://ann:hunter2@/db",
        "postgresql://ann:hunter2@:5432/db",
        "postgresql://ann:hunter2@host:/db",
        "postgresql://ann:hunter2@host:0/db",
        "postgresql://ann:hunter2@host:65536/db",
        "postgresql://ann:hunter2@host:54x2/db",
        "postgresql://ann:hunter2@host,:5433/db",
        "postgresql://ann:hunter2@ho st/db",
        "postgresql://ann:hunter2@host/db\n",
        "postgresql://ann:hunter2@host",
        "postgresql://ann:hunter2@host/",
        "postgresql://:hunter2@host/db",
        "postgresql://host/hunter2",
        "postgresql://ann:hunter2#x@host/db",
        "postgresql://ann:hunter2@host/db#x",
        "postgresql://ann:hunter2@host/db/more",
        "postgresql://ann:hunter2@host/db?sslmode=hunter2",
        "postgresql://ann:hunter2@host/db?sslmod=verify-full",
        "postgresql://ann:hunter2@[::1/db",
    ],
    "REDIS_URL": [
        "",
        "hunter2",
        "http://hunter2@host/0",
        "redis://",
        "redis://:hunter2@/0",
        "redis://:hunter2@host:0/0",
        "redis://:hunter2@host:70000/0",
        "redis://:hunter2@host:port/0",
        "redis://:hunter2@host/first",
        "redis://:hunter2@host/0 ",
        "redis://:hunter2@host/0?ssl_cert_reqs=none",
        "unix://hunter2@",
        "redis://:hunter2@one,two/0",
        "redis-sentinel://:hunter2@one:26379,two:26379/0",
        "redis-sentinel://:hunter2@one:26379,,two/0#mymaster",
        "redis-sentinel://:hunter2@one:0/0#mymaster",
        "redis-sentinel://:hunter2@one/first#mymaster",
        "redis-sentinel://#mymaster",
        "redis-cluster://:hunter2@one:7000,two:x",
        "redis-cluster://:hunter2@one:7000/1",
        "redis-cluster://:hunter2@one:7000#mymaster",
        "redis-cluster://:hunter2@one?ssl_cert_reqs=none",
        "redis-sentinels://:hunter2@one#mymaster",
    ],
    "KAFKA_BOOTSTRAP_SERVERS": [
        "",
        " ",
        ",",
        "kafka:9092,",
        ":9092",
        "kafka:port",
        "kafka:0",
        "kafka:70000",
        "http://kafka:9092",
        "SSL://kafka:9092",
        "ka fka:9092",
    ],
    "READ_URL": [
        "shop.example.com",
        "//shop.example.com",
        "ftp://shop.example.com",
        "http://",
        "http://:80",
        "http://ann:hunter2@shop.example.com",
        "https://shop.example.com?a=b",
        "https://shop.example.com:0",
    ],
    "SMTP_URL": [
        "hunter2",
        "smtp://",
        "smtp://ann:hunter2@",
        "smtp://ann:hunter2@mail:70000",
        "smtp://ann:hunter2@ma il",
    ],
    "OTEL_EXPORTER_OTLP_ENDPOINT": [
        "collector:4318",
        "grpc://collector:4317",
        "http://",
        "http://collector:x",
    ],
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ["collector"],
}
READ_BY = {"EVENT_STORE_DSN": CommandSettings, "READ_URL": CommandSettings}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_malformed_address_ends_the_start_with_one_line_and_without_a_secret(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = _refused(READ_BY.get(name, ProjectorSettings), {name: value}, monkeypatch, capsys)
    assert line.startswith(f"{name}: ")
    assert "hunter2" not in line


RIGHT = {
    "EVENT_STORE_DSN": [
        "postgresql://ann:pass@host/db",
        "postgres://ann@host:5432/db?sslmode=disable",
        "postgresql://ann:p%40%2F%23@[::1]:5432/db",
        "postgresql://ann:pass@one:5432,two:5433/db?target_session_attrs=read-write",
        "postgresql://ann@/db?host=/var/run/postgresql",
        "postgresql://host/db?user=ann&password=pass",
        "postgresql://ann:pass@catalogue_pooler.namespace.svc.cluster.local./db?application_name=x",
    ],
    "REDIS_URL": [
        "redis://host",
        "redis://host:6379/",
        "rediss://ann:p%23@host:6379/2",
        "unix:///run/redis.sock?db=1",
        "redis-sentinel://one,two:26380/2#mymaster",
        "rediss-sentinel://ann:p%23@[::1]:26379/0#mymaster",
        "redis-cluster://one:7000,two:7001",
        "rediss-cluster://ann:p%23@one:7000,two/0",
    ],
    "KAFKA_BOOTSTRAP_SERVERS": ["kafka", "kafka:9092", "one:9092, two:9092", "[::1]:9092", "10.0.0.1:9092"],
    "READ_URL": [
        "",
        "https://shop.example.com",
        "https://shop.example.com/catalogue/",
        "http://127.0.0.1:8001",
    ],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["", "http://collector:4318", "https://collector.example.com/otlp"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values]
)
def test_every_usual_form_of_an_address_is_taken(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _refused(READ_BY.get(name, ProjectorSettings), {name: value}, monkeypatch, capsys) == []


# Pieces of addresses, most of them wrong in some place.
_PIECES = st.sampled_from(
    ["ann", "host", ":", "@", "/", "?", "&", "=", "#", "[", "]", ",", "5432", "%zz", " ", "sslmode", "é"]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
@example("ann@host/db?ann")
@example("ann@host/db?sslmode=disable&")
def test_the_driver_understands_every_address_that_is_taken(rest: str) -> None:
    """What it refuses later would look like an outage."""
    text = f"postgresql://{rest}"
    try:
        read_dsn(text)
    except WrongDsn:
        return
    addresses, parameters = _parsed(text)
    assert addresses
    assert parameters.user
    assert parameters.database


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_every_password_can_be_given_percent_encoded(password: str) -> None:
    text = f"postgresql://ann:{quote(password, safe='')}@host:5432/db"
    assert _parsed(read_dsn(text))[1].password == password


def _parsed(dsn: str) -> Any:
    return _parse_connect_dsn_and_args(
        dsn=dsn, host=None, port=None, user=None, password=None, passfile=None, database=None, ssl=None,
        direct_tls=None, server_settings=None, target_session_attrs=None, krbsrvname=None, gsslib=None,
        service=None, servicefile=None,
    )  # fmt: skip


COMMANDS = {
    "command-api": ("command_api", "serve"),
    "relay": ("command_api", "relay"),
    "migrate-event-store": ("command_api", "migrate"),
    "replay": ("command_api", "replay", "--from", "1", "--topic", "x", "--dry-run"),
    "query-api": ("query_api", "serve"),
    "projector": ("projector", "run"),
    "migrate-read-model": ("projector", "migrate"),
    "projector status": ("projector", "status"),
    "projector verify": ("projector", "verify"),
    "projector snapshots": ("projector", "snapshots"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_process_and_job_refuses_before_it_connects_to_anything(name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *COMMANDS[name]], cwd=tmp_path, check=False, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT), "LISTEN_HOST": EVERYWHERE, **ISSUER}, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert lines
    assert all(f"is needed, because LISTEN_HOST is {EVERYWHERE}" in line for line in lines), ended.stderr


def test_every_process_of_the_delivery_is_tried() -> None:
    assert {*PROCESSES, *JOBS} <= COMMANDS.keys()
