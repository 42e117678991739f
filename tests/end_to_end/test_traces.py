"""One request is one trace, from the command to each view, also through faults; failures are always kept."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from command_api.relay.settings import RelaySettings
from deploy.local.ports import free_port
from deploy.local.process import Job
from deploy.local.traces.receiver import TraceReceiver
from deploy.local.traces.spans import StoredSpan
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import REPOSITORY, Servers, System
from tests.end_to_end.traced import edges, missing, of_name, one_of_name, traced_system
from tests.eventually import eventually
from tests.integration.relay_process import relay_process
from tests.mail_server import MailServer, mail_server

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def traced(
    servers: Servers, receiver: TraceReceiver, mails: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    mail = {"SMTP_URL": mails.url, "NOTIFICATION_RECIPIENTS": "anna@example.com"}
    with traced_system(servers, receiver, Path(tmp_path_factory.mktemp("system")), mail) as one:
        yield one


@pytest.fixture
def system(traced: System) -> System:
    traced.ensure_running()
    return traced


class _Caller:
    """A client with a trace of its own."""

    def __init__(self, receiver: TraceReceiver, is_sampled: bool = True) -> None:
        self.trace_id = secrets.token_hex(16)
        self.span_id = secrets.token_hex(8)
        self.traceparent = f"00-{self.trace_id}-{self.span_id}-0{int(is_sampled)}"
        self._receiver = receiver

    @property
    def spans(self) -> Sequence[StoredSpan]:
        """What the receiver has of the trace."""
        return self._receiver.store.trace(self.trace_id)

    async def create(self, catalogue: Catalogue, name: str | None = None) -> str:
        """A product, in this trace; its id."""
        body = {"name": name or unique("Traced"), "variants": [variant(unique("sku"))]}
        answer = await catalogue.write("POST", "/v1/products", body, traceparent=self.traceparent)
        assert answer.status_code == 201, answer.text
        product_id: str = answer.json()["id"]
        return product_id


async def test_a_command_is_one_trace_through_all_processes(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    caller = _Caller(receiver)
    product_id = await caller.create(catalogue)

    def all_edges() -> None:
        assert missing(caller.spans) == []

    await eventually(all_edges)
    assert one_of_name(caller.spans, "POST /v1/products").parent_id == caller.span_id
    for name in {edge.span for edge in edges()} - {"POST /v1/products", "write", "wait for append"}:
        for span in of_name(caller.spans, name):
            assert span.failure is None
            assert span.attributes.get("catalogue.product_id", product_id) == product_id
    positions = {one.attributes.get("catalogue.log_position") for one in caller.spans} - {None}
    assert len(positions) == 1


async def test_a_trace_goes_on_when_its_relay_is_killed_between_kafka_and_the_cursor(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    caller = _Caller(receiver)
    await asyncio.to_thread(system.relay.stop)
    settings = RelaySettings(
        _env_file=None,
        event_store_dsn=system.event_store.writer,
        kafka_bootstrap_servers=system.servers.kafka.bootstrap_servers,
        kafka_topic_prefix=system.prefix,
        relay_ops_port=free_port(),
    )
    async with relay_process(settings, "kill-before-cursor:1") as killed:
        await caller.create(catalogue)
        await killed.has_ended()
    await asyncio.to_thread(system.relay.start)

    def all_edges() -> None:
        assert missing(caller.spans) == []

    await eventually(all_edges)


async def test_a_parked_event_is_a_failure_in_its_trace_and_its_retry_is_linked(
    system: System, catalogue: Catalogue, receiver: TraceReceiver, tmp_path: Path
) -> None:
    caller, name = _Caller(receiver, is_sampled=False), unique("Refused")
    _run_sql(system, f"ALTER TABLE views.product_view ADD CONSTRAINT refused CHECK (name <> '{name}')")
    try:
        product_id = await caller.create(catalogue, name)

        def is_parked() -> None:
            assert [one.name for one in caller.spans] == ["park product_view"]

        await eventually(is_parked)
    finally:
        _run_sql(system, "ALTER TABLE views.product_view DROP CONSTRAINT refused")
    (parked,) = caller.spans
    assert (parked.failure or "").startswith("EventParked: refused-by-store: ")
    assert parked.attributes["catalogue.product_id"] == product_id
    (event,) = parked.events
    assert (event["name"], event["attributes"]["exception.type"].rsplit(".", 1)[-1]) == (
        "exception",
        "EventParked",
    )

    of_product = ("--projection", "product_view", "--product", product_id)
    await _run(system, tmp_path, "projector", "dead-letters", "retry", *of_product)

    def is_retried() -> StoredSpan:
        return one_of_name(receiver.store.linked_with(caller.trace_id), "retry product_view")

    retried = await eventually(is_retried)
    assert retried.trace_id != caller.trace_id
    assert (retried.service, retried.failure) == ("projector-operator", None)
    assert retried.attributes["catalogue.released"] == 1


async def test_a_read_that_waits_for_a_write_names_its_position(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    writer, reader = _Caller(receiver), _Caller(receiver)
    await writer.create(catalogue)
    answer = await catalogue.read("/v1/categories", traceparent=reader.traceparent)
    assert answer.status_code == 200

    def have_met() -> None:
        append = one_of_name(writer.spans, "append")
        found = receiver.store.at_position(append.attributes["catalogue.log_position"])
        assert {writer.trace_id, reader.trace_id} <= set(found)

    await eventually(have_met)


async def test_what_is_not_sampled_leaves_nothing(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    quiet, loud = _Caller(receiver, is_sampled=False), _Caller(receiver)
    await quiet.create(catalogue)
    await loud.create(catalogue)

    def later_one_is_there() -> None:
        assert missing(loud.spans) == []

    await eventually(later_one_is_there)
    assert quiet.spans == []


async def test_a_rebuild_is_a_trace_of_its_own_with_its_phases_and_its_workers(
    system: System, catalogue: Catalogue, receiver: TraceReceiver, tmp_path: Path
) -> None:
    await _Caller(receiver).create(catalogue)
    rebuild = ("projector", "rebuild", "product_view", "--workers", "2")
    await _run(system, tmp_path, *rebuild, OTEL_TRACES_SAMPLER="always_off")
    (summary,) = [one for one in receiver.store.newest(100) if one.name == "rebuild product_view"]
    spans = receiver.store.trace(summary.trace_id)
    names = {one.span_id: one.name for one in spans}
    found = {(one.name, names.get(one.parent_id or ""), one.service) for one in spans}
    operator, worker = "projector-operator", "projector-rebuild"
    phases = ("load", "index", "catch up", "compare", "switch")
    assert {(phase, "rebuild product_view", operator) for phase in phases} <= found
    assert ("load slice", "load", worker) in found


async def test_a_replay_is_linked_with_the_traces_of_its_events_and_no_part_of_them(
    system: System, catalogue: Catalogue, receiver: TraceReceiver, tmp_path: Path
) -> None:
    caller = _Caller(receiver)
    await caller.create(catalogue)

    def all_edges() -> None:
        assert missing(caller.spans) == []

    await eventually(all_edges)
    position = str(one_of_name(caller.spans, "append").attributes["catalogue.log_position"])
    topic = ["--topic", f"{system.prefix}again", "--create-topic"]
    await _run(system, tmp_path, "command_api", "replay", "--from", position, "--to", position, *topic)

    def is_linked() -> None:
        chunks = of_name(receiver.store.linked_with(caller.trace_id), "publish chunk")
        assert [one.service for one in chunks if one.attributes["catalogue.is_replay"]] == ["replay"]

    await eventually(is_linked)
    # Not their number: spans of the caller's own events may arrive after the edges that were waited for.
    assert "replay" not in {one.service for one in caller.spans}


async def _run(system: System, folder: Path, *arguments: str, **settings: str) -> None:
    """An operator's command, to its end without an error."""
    environment = {**system.environment(), "READ_MODEL_DSN": system.read_model.projector, **settings}
    command = Job(arguments[1], arguments, environment, REPOSITORY, folder / "command.log")
    await asyncio.to_thread(command.start)


def _run_sql(system: System, statement: str) -> None:
    system.servers.postgres.run_sql(statement, system.read_model.name)
