"""The local stack: what `make up` promises, with stand-ins for our own processes and the real servers."""

import contextlib
import json
import os
import pty
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from deploy.local.errors import PortTaken
from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST, free_port, port_is_taken, require_free
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from deploy.local.settings import DEFAULT_PORTS
from tests.eventually import eventually_blocking
from tests.observability.promtool import program
from tests.observability.rule_files import alerts
from tests.servers import DatabaseDsns

REPOSITORY = Path(__file__).parents[2]

STAND_IN = """
import http.server, json, os, pathlib, sys

package, command = pathlib.Path(__file__).parent.name, sys.argv[1]
with open(f"{package}-{command}.json", "w") as seen:
    json.dump(dict(os.environ), seen)
if command == "migrate":
    sys.exit(os.path.exists("migrations-fail") and "the migration is wrong")
ports = {"relay": "RELAY", "run": "PROJECTOR", "serve": "COMMAND" if package == "command_api" else "QUERY"}


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


print("stand-in is serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ[ports[command] + "_OPS_PORT"])), Ready).serve_forever()
"""

OWN_SERVERS = {
    "EVENT_STORE_DSN": "postgresql://mine/events",
    "EVENT_STORE_MIGRATE_DSN": "postgresql://owner/events",
    "READ_MODEL_DSN": "postgresql://mine/views",
    "READ_MODEL_MIGRATE_DSN": "postgresql://owner/views",
    "REDIS_URL": "redis://mine",
    "KAFKA_BOOTSTRAP_SERVERS": "mine:9092",
    "SMTP_URL": "smtp://mine",
}


PROCESSES_OF_STAND_INS = ("command_api-serve", "command_api-relay", "projector-run", "query_api-serve")


class Checkout:
    """A directory with stand-ins in which `python -m deploy.local` is run, on free ports."""

    def __init__(self, folder: Path, addresses: Mapping[str, str]) -> None:
        self.folder = folder
        ports = {name: str(free_port()) for name in DEFAULT_PORTS}
        self.environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **ports, **addresses}
        self._up: list[subprocess.Popen[bytes]] = []
        for package in ("command_api", "projector", "query_api"):
            (folder / package).mkdir()
            (folder / package / "__init__.py").touch()  # without it the real package would win
            (folder / package / "__main__.py").write_text(STAND_IN)

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", *command], cwd=self.folder, check=False, timeout=120,
            env={**self.environment, **environment}, capture_output=True, text=True,
        )  # fmt: skip

    def up(self, *options: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "up.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "up", *options], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._up.append(process)

        def is_ready_or_ended() -> None:
            if process.poll() is None:
                self.must_say("Ready after")

        eventually_blocking(is_ready_or_ended, seconds_max=60)
        self.must_say("Ready after")
        return process

    def must_say(self, text: str) -> None:
        said = (self.folder / "up.log").read_text()
        assert text in said, said

    def seen_by(self, process: str) -> dict[str, str]:
        seen: dict[str, str] = json.loads((self.folder / f"{process}.json").read_text())
        return seen

    def close(self) -> None:
        for process in self._up:
            process.terminate()
            process.wait(60)
        self.run("clean")


@pytest.fixture
def make_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Checkout]]:
    made: list[Checkout] = []

    def make(addresses: Mapping[str, str] = OWN_SERVERS) -> Checkout:
        made.append(Checkout(tmp_path_factory.mktemp("checkout"), addresses))
        return made[-1]

    yield make
    for checkout in made:
        checkout.close()


def children_of(pid: int) -> dict[str, psutil.Process]:
    """By the last words of their command line; without those that have just ended."""
    children = {}
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            children[" ".join(child.cmdline()[-2:])] = child
    return children


def must_listen(port: int) -> None:
    assert port_is_taken(port)


def must_be_gone(processes: list[psutil.Process]) -> None:
    alive = [process for process in processes if process.is_running() and process.status() != "zombie"]
    assert alive == []


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} \(POSTGRES_PORT\) is in use"):
            require_free({"POSTGRES_PORT": port})


def test_two_settings_may_not_share_a_port() -> None:
    port = free_port()
    with pytest.raises(PortTaken, match=f"REDIS_PORT and KAFKA_PORT are both {port}"):
        require_free({"KAFKA_PORT": port, "REDIS_PORT": port})


def test_up_names_the_setting_of_a_port_in_use(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout()
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        refused = checkout.run("up", COMMAND_PORT=str(port))
    assert refused.returncode == 1
    assert f"port {port} (COMMAND_PORT) is in use" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_that_is_no_port_is_refused_by_name(make_checkout: Callable[..., Checkout]) -> None:
    refused = make_checkout().run("up", QUERY_PORT="http")
    assert (refused.returncode, "QUERY_PORT is 'http'" in refused.stderr) == (1, True)


def test_a_second_up_in_the_same_directory_is_refused(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout()
    first = checkout.up()
    refused = checkout.run("up")
    assert refused.returncode == 1
    assert f"already running (pid {first.pid})" in refused.stderr
    assert checkout.run("clean").returncode == 1


def test_down_stops_everything_and_says_when_nothing_runs(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout()
    up = checkout.up()
    children = list(children_of(up.pid).values())
    assert len(children) == 4
    assert checkout.run("status").returncode == 1  # the stand-ins do not listen on the API ports
    assert checkout.run("down").stdout == "stopped\n"
    assert up.wait(60) == 0
    must_be_gone(children)
    assert checkout.run("down").stdout == "not running\n"
    assert checkout.run("status").returncode == 3


def test_a_killed_process_is_said_and_started_again(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout()
    up = checkout.up()
    killed = children_of(up.pid)["projector run"]
    killed.kill()

    def projector_runs_again() -> None:
        again = children_of(up.pid).get("projector run")
        assert again is not None
        assert again.pid != killed.pid

    eventually_blocking(projector_runs_again)
    checkout.must_say("projector ended with exit code -9")
    checkout.must_say("stand-in is serving")


def test_status_has_the_pid_of_a_process_that_hangs_and_another_one_runs_after_its_kill(
    make_checkout: Callable[..., Checkout],
) -> None:
    checkout = make_checkout()
    up = checkout.up()
    hanging = children_of(up.pid)["command_api relay"].pid

    def shown() -> list[str]:
        (line,) = [line for line in checkout.run("status").stdout.splitlines() if line.startswith("  relay ")]
        return line.split()[2:]

    assert shown() == ["ready", "pid", str(hanging)]
    os.kill(hanging, signal.SIGSTOP)
    assert shown() == ["NOT", "READY", "pid", str(hanging)]
    os.kill(hanging, signal.SIGKILL)

    def another_one_is_ready() -> None:
        *state, word, pid = shown()
        assert (state, word) == (["ready"], "pid")
        assert int(pid) != hanging

    eventually_blocking(another_one_is_ready)


def test_processes_end_with_a_killed_supervisor(make_checkout: Callable[..., Checkout]) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux signals the children of a killed parent")
    checkout = make_checkout()
    up = checkout.up()
    children = list(children_of(up.pid).values())
    up.kill()
    up.wait()
    eventually_blocking(lambda: must_be_gone(children))
    checkout.up()


def test_a_process_that_is_left_out_is_run_in_a_shell_instead(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout()
    checkout.environment["SHELL"] = "/bin/sh"
    up = checkout.up("--without", "projector", "--without", "relay")
    assert children_of(up.pid).keys() == {"command_api serve", "query_api serve"}
    checkout.must_say("not started   projector; run it in `make shell`: .venv/bin/python -m projector run")
    by_hand = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "shell", "-c", "exec python -m projector run"],
        cwd=checkout.folder, env=checkout.environment, start_new_session=True,
    )  # fmt: skip
    try:
        eventually_blocking(lambda: must_listen(int(checkout.environment["PROJECTOR_OPS_PORT"])))
        ready = {
            line.split()[0]: line.split(maxsplit=2)[2] for line in checkout.run("status").stdout.splitlines()
        }
        assert ready["projector"].split() == ["ready", "started", "by", "hand"]
        assert ready["relay"].split() == ["NOT", "READY", "no", "process"]
    finally:
        os.killpg(by_hand.pid, signal.SIGTERM)
        by_hand.wait(60)
    assert checkout.seen_by("projector-run")["READ_MODEL_DSN"] == OWN_SERVERS["READ_MODEL_DSN"]


def test_the_port_of_a_process_that_is_left_out_may_be_in_use(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout()
    with socket.socket() as debugged:
        debugged.bind((HOST, int(checkout.environment["PROJECTOR_OPS_PORT"])))
        debugged.listen()
        checkout.up("--without", "projector")


@pytest.mark.parametrize("option", [["--without", "projektor"], ["--witout", "projector"], ["--without"]])
def test_an_option_that_up_does_not_have_starts_nothing(
    make_checkout: Callable[..., Checkout], option: list[str]
) -> None:
    checkout = make_checkout()
    refused = checkout.run("up", *option)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert " ".join(option[1:]) in refused.stderr
    assert not (checkout.folder / ".local").exists()


def test_a_process_with_another_name_is_refused_with_the_names_there_are(
    make_checkout: Callable[..., Checkout],
) -> None:
    refused = make_checkout().run("up", "--without", "projektor")
    for name in ("projektor", "command-api", "relay", "projector", "query-api"):
        assert name in refused.stderr.splitlines()[-1]


def test_a_failed_migration_ends_the_start_with_its_last_words(
    make_checkout: Callable[..., Checkout],
) -> None:
    checkout = make_checkout()
    (checkout.folder / "migrations-fail").touch()
    failed = checkout.run("up")
    assert failed.returncode == 1
    assert "the migration is wrong" in failed.stderr
    assert not (checkout.folder / "projector-run.json").exists()


def test_addresses_of_the_users_own_servers_are_passed_on(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout({})
    lines = [f"{name}={value}\n" for name, value in OWN_SERVERS.items()]
    (checkout.folder / ".env").write_text("".join(lines))
    checkout.up()
    assert checkout.seen_by("command_api-serve")["EVENT_STORE_DSN"] == "postgresql://mine/events"
    assert checkout.seen_by("command_api-migrate")["EVENT_STORE_MIGRATE_DSN"] == "postgresql://owner/events"
    assert checkout.seen_by("projector-run")["EVENT_STORE_READ_DSN"] == "postgresql://mine/events"
    assert checkout.seen_by("query_api-serve")["REDIS_URL"] == "redis://mine"
    # Nobody gets a mail through a real server because they ran `make up`.
    assert checkout.seen_by("projector-run")["SMTP_URL"] == "smtp://mine"
    assert "NOTIFICATION_RECIPIENTS" not in checkout.seen_by("projector-run")


def test_commands_in_a_shell_get_the_addresses_of_the_stack(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout({})
    checkout.environment["SHELL"] = "/bin/sh"
    asked = "import os; print(*(os.environ[name] for name in ('READ_MODEL_DSN', 'REDIS_URL', 'SMTP_URL')))"
    told = checkout.run("shell", "-c", f'python -c "{asked}"')
    ports = checkout.environment
    assert told.stdout.split() == [
        f"postgresql://catalogue_projector:catalogue_projector@127.0.0.1:{ports['POSTGRES_PORT']}/read_model",
        f"redis://127.0.0.1:{ports['REDIS_PORT']}/0",
        f"smtp://127.0.0.1:{ports['SMTP_PORT']}?starttls=never",
    ]
    assert checkout.run("shell", "-c", "exit 4").returncode == 4


def test_a_secure_stack_hands_on_its_issuer_and_its_tokens_and_can_be_insecure_again(
    make_checkout: Callable[..., Checkout],
) -> None:
    checkout = make_checkout()
    checkout.environment["SHELL"] = "/bin/sh"
    asked = ("shell", "-c", 'echo "$AUTH_ISSUER $CATALOGUE_TOKEN_FILE $TOKEN"')
    issuer = f"http://127.0.0.1:{checkout.environment['ISSUER_PORT']}"
    tokens, key = checkout.folder / ".local/tokens", checkout.folder / ".local/issuer/key.json"

    first = checkout.up("--secure")
    assert {checkout.seen_by(one)["AUTH_ISSUER"] for one in PROCESSES_OF_STAND_INS} == {issuer}
    assert httpx.get(f"{issuer}/jwks", timeout=30).json()["keys"]
    checkout.must_say("export TOKEN=$(cat .local/tokens/editor)")
    admin = tokens / "admin"
    assert checkout.run(*asked).stdout.split() == [issuer, str(admin), admin.read_text()]
    killed = children_of(first.pid)[f"{checkout.environment['ISSUER_PORT']} {checkout.folder}/.local"]
    made = key.read_bytes()
    killed.kill()
    eventually_blocking(lambda: must_listen(int(checkout.environment["ISSUER_PORT"])))
    assert key.read_bytes() == made

    for options, told, shown in (((), "", []), (("--secure",), issuer, [issuer])):
        checkout.run("down")
        (checkout.folder / "up.log").unlink()  # it says "Ready" already
        checkout.up(*options)
        assert {checkout.seen_by(one).get("AUTH_ISSUER", "") for one in PROCESSES_OF_STAND_INS} == {told}
        assert checkout.run(*asked).stdout.split()[:1] == shown
    assert key.read_bytes() == made


def test_the_users_own_issuer_is_not_replaced(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout({**OWN_SERVERS, "AUTH_ISSUER": "https://issuer.example"})
    checkout.up("--secure")
    assert checkout.seen_by("query_api-serve")["AUTH_ISSUER"] == "https://issuer.example"
    assert not port_is_taken(int(checkout.environment["ISSUER_PORT"]))
    assert not (checkout.folder / ".local/tokens").exists()


def test_an_observed_stack_keeps_the_spans_of_its_processes(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout(OWN_SERVERS)
    receiver = f"http://127.0.0.1:{checkout.environment['OTLP_PORT']}"
    checkout.up("--observe")
    told = {checkout.seen_by(one)["OTEL_EXPORTER_OTLP_ENDPOINT"] for one in PROCESSES_OF_STAND_INS}
    assert told == {receiver}
    checkout.must_say("deploy.local traces lists them")
    one = {"name": "a request", "traceId": "ab" * 16, "spanId": "cd" * 8, "kind": 2}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}
    assert httpx.post(f"{receiver}/v1/traces", json=body, timeout=30).status_code == 200
    assert "a request" in checkout.run("traces", "abab").stdout
    shell = checkout.run("shell", "-c", "echo $OTEL_EXPORTER_OTLP_ENDPOINT", SHELL="/bin/sh")
    assert shell.stdout.strip() == receiver
    checkout.run("down")
    assert "a request" in checkout.run("traces").stdout, "they stay"
    (checkout.folder / "up.log").unlink()  # it says "Ready" already
    checkout.up()
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in checkout.seen_by("projector-run")


def test_an_observed_stack_has_prometheus_with_all_alerts(make_checkout: Callable[..., Checkout]) -> None:
    program("prometheus")
    checkout = make_checkout(OWN_SERVERS)
    address = f"http://127.0.0.1:{checkout.environment['PROMETHEUS_PORT']}"
    checkout.up("--observe")
    checkout.must_say(f"{address}/alerts")
    groups = httpx.get(f"{address}/api/v1/rules", timeout=30).json()["data"]["groups"]
    known = {rule["name"] for group in groups for rule in group["rules"] if rule["type"] == "alerting"}
    assert known == {rule.alert for rule in alerts()}
    ports = {int(checkout.environment[name]) for name in DEFAULT_PORTS if name.endswith("_OPS_PORT")}

    def all_processes_are_scraped() -> None:
        targets = httpx.get(f"{address}/api/v1/targets", timeout=30).json()["data"]["activeTargets"]
        assert {urlsplit(target["scrapeUrl"]).port for target in targets} == ports

    eventually_blocking(all_processes_are_scraped)


def test_an_observed_stack_without_the_program_prometheus_says_so(
    make_checkout: Callable[..., Checkout],
) -> None:
    checkout = make_checkout({**OWN_SERVERS, "PROMETHEUS": "/nowhere/prometheus"})
    checkout.up("--observe")
    checkout.must_say("not started: there is no such program on PATH")
    assert not port_is_taken(int(checkout.environment["PROMETHEUS_PORT"]))


def test_the_users_own_variables_of_opentelemetry_are_handed_on(
    make_checkout: Callable[..., Checkout],
) -> None:
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://mine:4318", "OTEL_TRACES_SAMPLER_ARG": "0.5"}
    checkout = make_checkout({**OWN_SERVERS, **own})
    checkout.up("--observe")
    assert own.items() <= checkout.seen_by("command_api-relay").items()
    assert not port_is_taken(int(checkout.environment["OTLP_PORT"]))


def test_python_in_a_shell_is_ours_whatever_the_users_start_file_puts_first(
    make_checkout: Callable[..., Checkout], tmp_path: Path
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    (tmp_path / "python").write_text("#!/bin/sh\n")
    (tmp_path / "python").chmod(0o755)
    (tmp_path / ".bashrc").write_text(f'PATH={tmp_path}:"$PATH"; alias mine="echo still here"\n')
    checkout = make_checkout({})
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"command -v python\nmine\nexit\n")
    try:
        said = subprocess.run(
            [sys.executable, "-m", "deploy.local", "shell"], cwd=checkout.folder, check=False, timeout=60,
            env={**checkout.environment, "SHELL": bash, "HOME": str(tmp_path)}, start_new_session=True,
            stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True,
        )  # fmt: skip
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert said.stdout.splitlines()[-2:] == [str(Path(sys.executable).with_name("python")), "still here"]


def test_a_shell_for_commands_starts_no_stack(make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout({})
    checkout.environment["SHELL"] = "/bin/sh"
    refused = checkout.run("shell", "-c", "python -m deploy.local up")
    assert (refused.returncode, "exit" in refused.stderr) == (1, True)
    assert not (checkout.folder / ".local").exists()


def test_mails_are_caught_in_files_and_go_nowhere_else(make_checkout: Callable[..., Checkout]) -> None:
    addresses = {name: value for name, value in OWN_SERVERS.items() if name != "SMTP_URL"}
    checkout = make_checkout(addresses)
    up = checkout.up()
    projector = checkout.seen_by("projector-run")
    assert projector["SMTP_URL"] == f"smtp://127.0.0.1:{checkout.environment['SMTP_PORT']}?starttls=never"
    assert "SMTP_URL" not in checkout.seen_by("query_api-serve")
    checkout.must_say(str(checkout.folder / ".local" / "mail"))
    mail = EmailMessage()
    mail["Subject"] = "New product: Größe 1/2"
    mail.set_content("Look.")
    with smtplib.SMTP("127.0.0.1", int(checkout.environment["SMTP_PORT"])) as client:
        client.send_message(mail, "from@x.test", projector["NOTIFICATION_RECIPIENTS"])
    (file,) = (checkout.folder / ".local" / "mail").iterdir()
    assert file.name.endswith("-New-product-Gr-e-1-2.eml")
    assert b"Look." in file.read_bytes()
    assert len(children_of(up.pid)) == 5
    assert checkout.run("down").returncode == 0
    assert file.exists()
    assert checkout.run("clean").returncode == 0
    assert not file.exists()


@pytest.mark.servers
def test_up_starts_real_servers_and_gives_each_process_only_its_role(
    make_checkout: Callable[..., Checkout],
) -> None:
    checkout = make_checkout({})
    up = checkout.up()
    assert "catalogue_writer" in checkout.seen_by("command_api-relay")["EVENT_STORE_DSN"]
    projector, query_api = checkout.seen_by("projector-run"), checkout.seen_by("query_api-serve")
    assert "catalogue_projector" in projector["READ_MODEL_DSN"]
    assert "catalogue_reader" in query_api["READ_MODEL_DSN"]
    assert "EVENT_STORE_DSN" not in query_api.keys() | projector.keys()
    family = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    must_be_gone(family)
    assert checkout.run("clean").returncode == 0
    assert not (checkout.folder / ".local").exists()


@pytest.mark.servers
async def test_postgresql_keeps_rows_over_a_restart_and_a_kill(
    postgres_server: PostgresServer, make_database: Callable[[], DatabaseDsns]
) -> None:
    dsns = make_database()
    connection = await asyncpg.connect(dsns.owner)
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    postgres_server.kill()
    connection.terminate()
    postgres_server.start()
    postgres_server.restart()
    connection = await asyncpg.connect(dsns.owner)
    try:
        assert await connection.fetchval("SELECT n FROM kept") == 1
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW data_checksums") == "on"
    finally:
        await connection.close()


@pytest.mark.servers
@pytest.mark.skipif(
    os.environ.get("TEST_SERVERS") == "containers", reason="an image has a password of its own"
)
async def test_no_role_of_a_service_is_superuser(postgres_server: PostgresServer) -> None:
    supers = postgres_server.run_sql("SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole")
    assert supers.split() == ["postgres"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_server.dsn("postgres", "postgres"))


@pytest.mark.servers
def test_redis_keeps_keys_over_a_restart(redis_server: RedisServer, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.set("kept", "1")
        redis_server.restart()
        assert client.get("kept") == b"1"


@pytest.mark.servers
async def test_kafka_keeps_records_over_a_kill_on_the_same_port(
    kafka_server: KafkaServer, kafka_prefix: str, kafka_bootstrap_servers: str
) -> None:
    topic = f"{kafka_prefix}kept"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap_servers, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, b"kept", partition=0)
    await producer.stop()
    kafka_server.kill()
    kafka_server.start()
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        assert (await consumer.getone()).value == b"kept"
    finally:
        await consumer.stop()


@pytest.mark.servers
@pytest.mark.parametrize("fixture", ["postgres_server", "redis_server", "kafka_server"])
def test_a_paused_server_is_silent_until_resumed(fixture: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(fixture)
    server.ensure_running()
    server.pause()
    try:
        assert not server.is_ready()
    finally:
        server.resume()
    server.wait_until_ready()
