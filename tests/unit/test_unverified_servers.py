"""A process says at start which servers elsewhere it reaches without verified TLS."""

import json
import os
import subprocess
import sys

import pytest

from command_api.replay.settings import ReplaySettings
from shared.ops.logs import configure_logs
from shared.ops.secret import Secret
from shared.ops.settings import ProcessSettings
from shared.ops.unverified_servers import ServerAddress, warn_of_unverified_servers
from tests.deploy.processes import OPS_PORT_SETTINGS, PROCESSES

CLASSES = sorted({*PROCESSES.values(), ReplaySettings}, key=lambda one: (one.__module__, one.__name__))
TLS = f"sslmode=verify-full&sslrootcert={__file__}"


def warned(settings: ProcessSettings, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The settings that the log names."""
    configure_logs("test", settings)
    warn_of_unverified_servers(settings)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line["level"] == "warning" for line in lines)
    return {line["setting"] for line in lines}


@pytest.mark.parametrize("settings", CLASSES)
def test_each_setting_that_leads_to_a_server_is_looked_at(settings: type[ProcessSettings]) -> None:
    marked = {
        name
        for name, field in settings.model_fields.items()
        if any(isinstance(mark, ServerAddress) for mark in field.metadata)
    }
    servers = ("_dsn", "redis_url", "search_url", "_bootstrap_servers")
    assert marked == {name for name in settings.model_fields if name.endswith(servers)}


@pytest.mark.parametrize("settings", CLASSES)
def test_on_one_machine_nothing_is_said(
    settings: type[ProcessSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert warned(settings(), capsys) == set()


@pytest.mark.parametrize(
    ("dsn", "is_named"),
    [
        ("postgresql://u:p@db.test/x", True),
        ("postgresql://u:p@db.test/x?sslmode=disable", True),
        (f"postgresql://u:p@db.test/x?{TLS}", False),
        ("postgresql://u:p@localhost:5432,db.test:5432/x", True),
        ("postgresql://u:p@localhost:5432,[::1]:5432/x", False),
        ("postgresql://u:p@/x?host=db.test", True),
        ("postgresql://u:p@/x?host=/var/run/postgresql", False),
    ],
)
def test_a_database_elsewhere_must_be_verified(
    capsys: pytest.CaptureFixture[str], dsn: str, is_named: bool
) -> None:
    settings = ReplaySettings(event_store_read_dsn=Secret(dsn))
    assert warned(settings, capsys) == ({"EVENT_STORE_READ_DSN"} if is_named else set())


def test_so_must_redis_and_kafka(capsys: pytest.CaptureFixture[str]) -> None:
    projector = PROCESSES["projector"]
    given = {
        "redis_url": Secret("redis://:p@cache.test:6379/0"),
        "kafka_bootstrap_servers": "127.0.0.1:1,k:2",
    }
    assert warned(projector(**given), capsys) == {"REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS"}
    given = {"redis_url": Secret("rediss://:p@cache.test:6379/0"), "kafka_security_protocol": "SSL"}
    assert warned(projector(**given), capsys) == set()


@pytest.mark.parametrize(
    ("program", "setting"),
    [
        ("command_api serve", "EVENT_STORE_DSN"),
        ("command_api relay", "EVENT_STORE_DSN"),
        ("projector run", "READ_MODEL_DSN"),
        ("query_api serve", "READ_MODEL_DSN"),
    ],
)
def test_each_process_says_it(program: str, setting: str) -> None:
    ports = dict.fromkeys(("COMMAND_PORT", "QUERY_PORT", *OPS_PORT_SETTINGS.values()), "0")
    with subprocess.Popen(
        [sys.executable, "-m", *program.split()], stdout=subprocess.PIPE,
        env={**os.environ, **ports, setting: "postgresql://u:p@db.invalid/x"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.kill()
    assert (first["event"], first["setting"]) == (
        "a server elsewhere is reached without verified TLS",
        setting,
    )
