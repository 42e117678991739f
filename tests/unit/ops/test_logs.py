"""Every record, whoever wrote it, is one JSON line with the same members."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from shared.ops.logs import add_log_fields, configure_logs, get_logger
from shared.ops.metrics.process import LOG_LINES_LOST
from shared.ops.settings import ProcessSettings

SETTINGS = ProcessSettings(_env_file=None, log_level="INFO", log_repeats_max=5, log_repeats_seconds=60)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def stream() -> io.StringIO:
    written = io.StringIO()
    configure_logs("query-api", SETTINGS, written)
    return written


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_and_what_in_utc(stream: io.StringIO) -> None:
    get_logger("query_api.products.find").warning("cache is away", attempt=2)
    (line,) = lines_of(stream)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {
        "level": "warning",
        "event": "cache is away",
        "logger": "query_api.products.find",
        "process": "query-api",
        "attempt": 2,
    }


def test_a_logger_made_before_the_configuration_follows_it() -> None:
    early, stream = get_logger("early"), io.StringIO()
    configure_logs("relay", SETTINGS, stream)
    early.info("hello")
    assert lines_of(stream)[0]["process"] == "relay"


def test_the_request_context_is_on_our_lines_and_on_those_of_libraries(stream: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1", trace_id="t-1")
    get_logger("ours").info("one")
    logging.getLogger("aiokafka.consumer").warning("two")
    assert [(line["request_id"], line["trace_id"]) for line in lines_of(stream)] == [("r-1", "t-1")] * 2


@pytest.mark.parametrize("name", ["uvicorn.error", "aiokafka.cluster", "faststream.access.kafka", "asyncio"])
def test_a_library_record_has_the_same_members(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("lost %d of %s", 3, "them")
    (line,) = lines_of(stream)
    assert (line["event"], line["logger"], line["level"], line["process"]) == (
        "lost 3 of them",
        name,
        "error",
        "query-api",
    )


def test_a_library_that_repeats_itself_is_thinned_out_and_ours_is_not(stream: io.StringIO) -> None:
    for node in range(50):
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", node)
        get_logger("relay").error("Kafka is away", attempt=node)
    loggers = [line["logger"] for line in lines_of(stream)]
    assert (loggers.count("aiokafka"), loggers.count("relay")) == (5, 50)


def test_a_message_cannot_forge_a_second_line(stream: io.StringIO) -> None:
    get_logger("x").info('a\n{"event": "forged"}', note="b\r\nc")
    logging.getLogger("y").warning("d\ne")
    assert stream.getvalue().count("\n") == 2
    assert [line["event"] for line in lines_of(stream)] == ['a\n{"event": "forged"}', "d\ne"]


def test_an_exception_brings_its_traceback_on_the_same_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        get_logger("x").exception("failed")
        logging.getLogger("asyncio").exception("failed too")
    for line in lines_of(stream):
        assert line["exception"].startswith("Traceback")
        assert line["exception"].endswith("ValueError: broken")


@pytest.mark.parametrize("value", [object(), 2**70, {object(): 1}, {1, 2}, "\ud800", b"\xff", float("nan")])
def test_a_value_that_json_lacks_never_fails_the_caller(stream: io.StringIO, value: object) -> None:
    get_logger("x").info("odd", value=value)
    assert lines_of(stream)[0]["event"] == "odd"


def test_a_level_below_the_threshold_is_not_written(stream: io.StringIO) -> None:
    get_logger("x").debug("hidden")
    logging.getLogger("x").debug("hidden")
    assert lines_of(stream) == []


def test_a_later_configuration_replaces_the_earlier_one(stream: io.StringIO) -> None:
    second = io.StringIO()
    configure_logs("relay", SETTINGS.model_copy(update={"log_level": "DEBUG"}), second)
    get_logger("x").debug("a")
    logging.getLogger("x").debug("b")
    assert stream.getvalue() == ""
    assert [line["event"] for line in lines_of(second)] == ["a", "b"]


def test_a_closed_stream_costs_lines_that_are_counted_and_no_error(stream: io.StringIO) -> None:
    before = LOG_LINES_LOST._value.get()
    stream.close()
    get_logger("x").info("nobody hears this")
    assert LOG_LINES_LOST._value.get() == before + 1


def test_a_warning_of_a_library_becomes_a_line(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "old way" in lines_of(stream)[0]["event"]


def test_fields_that_are_added_during_a_request_are_on_its_later_lines(stream: io.StringIO) -> None:
    get_logger("ours").info("before")
    add_log_fields(actor="ann", product_id="p-1")
    get_logger("ours").info("after")
    before, after = lines_of(stream)
    assert "actor" not in before
    assert (after["actor"], after["product_id"]) == ("ann", "p-1")


def test_lines_are_counted_by_level_ours_and_those_of_libraries(stream: io.StringIO) -> None:
    def counted() -> list[float | None]:
        kinds = [
            ("info", "process"),
            ("error", "process"),
            ("critical", "process"),
            ("error", "kafka_client"),
        ]
        return [
            REGISTRY.get_sample_value("log_lines_total", {"level": level, "source": source})
            for level, source in kinds
        ]

    before = counted()
    get_logger("ours").error("broken")
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    logging.getLogger("aiokafka.conn").error("connection refused")
    get_logger("ours").info("fine")
    assert [(now or 0) - (then or 0) for now, then in zip(counted(), before, strict=True)] == [1, 2, 0, 1]
