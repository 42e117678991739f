"""Proof that the checker can fail: each thing that it checks is damaged here, and it must find the
problem.
"""

from dataclasses import replace

import pytest

from tests.end_to_end.checker import Evidence, problems
from tests.end_to_end.ledger import Command
from tests.end_to_end.murmur2 import partition_of
from tests.end_to_end.sound_evidence import (
    LIVE,
    LOG,
    clients,
    sound,
)
from tests.end_to_end.wrong_evidence import FAULTS, LIES, cached, with_attempts, written_twice


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert problems(sound(), clients()) == []


def test_repeats_in_kafka_and_an_empty_cache_are_no_faults() -> None:
    evidence = sound()
    evidence.records["events"] += evidence.records["events"][2:]
    first = evidence.records["events"][0]
    evidence.records["events"].append(replace(first, headers={**first.headers, "ce_replay": "true"}))
    cached(evidence).clear()
    assert problems(evidence, clients()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    said, break_it = FAULTS[fault]
    evidence = sound()
    break_it(evidence)
    found = problems(evidence, clients())
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_was_not_true_is_found(lie: str) -> None:
    said, tell_it = LIES[lie]
    commands = clients()
    tell_it(commands)
    found = problems(sound(), commands)
    assert any(said in problem for problem in found), found


def test_a_command_that_took_effect_twice_is_found() -> None:
    evidence, commands = written_twice()
    assert any("left 2 events" in problem for problem in problems(evidence, commands))
    with_attempts(commands[2], "unknown")
    assert any("took effect 2 times" in problem for problem in problems(evidence, commands))


def test_an_unknown_command_may_have_taken_effect_or_not() -> None:
    commands = clients()
    with_attempts(commands[2], "unknown", "not-written")
    never = Command("never", "price", LIVE)
    with_attempts(never, "unknown")
    assert problems(sound(), [*commands, never]) == []


def test_a_refusal_says_nothing_of_an_attempt_that_lingers_in_a_stopped_process() -> None:
    commands = clients()
    with_attempts(commands[2], "unknown", "refused")
    assert any("was refused" in problem for problem in problems(sound(), commands))
    commands[2].lingers = True
    assert problems(sound(), commands) == []
    with_attempts(commands[2], "refused")
    assert any("was refused" in problem for problem in problems(sound(), commands))


def batch() -> list[Command]:
    """The same as one batch, sent once."""
    operations = clients()[:5]
    for index, operation in enumerate(operations):
        operation.command_id = f"batch[{index}]"
        operation.batch, operation.about = "batch", operation.product_id or ""
        operation.attempts[:] = [replace(operation.attempts[0], request_id="batch.1")]
    operations[0].about, operations[1].about = "sku L", "sku D"
    return operations


def sent_as_a_batch() -> Evidence:
    evidence = sound()
    for place, event in enumerate(LOG):
        evidence.log[place] = replace(event, metadata={**event.metadata, "correlation_id": "batch.1"})
    evidence.records.clear()
    return evidence


def test_the_operations_of_a_batch_are_told_apart() -> None:
    assert problems(sent_as_a_batch(), batch()) == []
    without_price = [each for each in batch() if each.kind != "price"]
    found = problems(sent_as_a_batch(), without_price)
    assert found == ["no client has sent the command of the event at position 3"]


def test_a_command_that_was_written_in_pieces_is_found() -> None:
    operations = batch()
    upsert = Command("batch[0]", "upsert", LIVE, operations[0].attempts, "batch", "slug live")
    upsert.attempts[:] = [replace(upsert.attempts[0], outcome="unknown", stream_version=None)]
    found = problems(sent_as_a_batch(), [upsert, operations[1], *operations[3:]])
    assert found == ["upsert batch[0] was not written in one piece: positions [1, 3]"]


@pytest.mark.parametrize(("key", "hashed"), [("21", -973932308), ("foobar", -790332482),
    ("a-little-bit-long-string", -985981536), ("a-little-bit-longer-string", -1486304829)])  # fmt: skip
def test_partitions_are_those_of_the_java_client(key: str, hashed: int) -> None:
    """The vectors of Kafka's own test of its murmur2."""
    assert partition_of(key, 2**31) == hashed & 0x7FFFFFFF


def test_older_events_may_be_of_clients_that_nobody_knows() -> None:
    assert problems(sound(), clients()[2:], since_position=2) == []
