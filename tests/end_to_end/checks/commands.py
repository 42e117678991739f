"""Compares the clients' records with the log: successful commands have their events once, refused ones have
none.

Refused commands, and attempts for which the API has promised that nothing was written, left no events.
Commands with an unknown outcome took effect completely or not at all.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.end_to_end.checks import effects
from tests.end_to_end.checks.history import History, Logged
from tests.end_to_end.fold import Document
from tests.end_to_end.ledger import LEAVES, Command, command_of

_EventsOf = Mapping[str, Sequence[Logged]]


def problems(history: History, commands: Sequence[Command], since: int) -> Iterator[str]:
    """Events after position `since` must come from `commands`."""
    events_of: dict[str, list[Logged]] = defaultdict(list)
    known = {command.command_id: command for command in commands if command.batch is None}
    batches: dict[str, list[Command]] = defaultdict(list)
    for command in commands:
        if command.batch is not None:
            batches[command.batch].append(command)
    for event, document in history.states():
        request = command_of(event.metadata["correlation_id"])
        sender = known.get(request) or _operation(batches.get(request, ()), event, document)
        if sender is not None:
            events_of[sender.command_id].append(event)
        elif event.position > since:
            yield f"no client has sent the command of the event at position {event.position}"
    for command in commands:
        yield from _one_command(command, events_of[command.command_id])
    yield from _order_of_answers(commands, events_of)
    ends = {events_of[each.command_id][-1].position: each for each in commands if events_of[each.command_id]}
    yield from effects.problems(history, ends)


def _operation(operations: Sequence[Command], event: Logged, document: Document) -> Command | None:
    """The operation of a batch that this event is of; clients see to it that there is one at most."""
    names = {event.product_id, f"slug {document['slug']}"}
    if event.event_type == "product-created":
        names.add(f"sku {document['variants'][0]['sku']}")
    for command in operations:
        if command.about in names and event.event_type in LEAVES[command.kind].event_types:
            return command
    return None


def _one_command(command: Command, events: Sequence[Logged]) -> Iterator[str]:
    who = f"{command.kind} {command.command_id}"
    leaves = LEAVES[command.kind]
    if any(event.event_type not in leaves.event_types for event in events):
        yield f"{who} left {[event.event_type for event in events]}"
    if command.outcome == "ok" and not leaves.fewest <= len(events) <= leaves.most:
        yield f"{who} succeeded and left {len(events)} events"
    if command.outcome in ("refused", "not-written") and events:
        yield f"{who} was {command.outcome} and left {len(events)} events"
    if len(events) > leaves.most:
        yield f"{who} was {command.outcome} and took effect {len(events)} times"
    yield from _promises_of_nothing(command, events)
    if not events:
        return
    first, last = events[0], events[-1]
    if {event.product_id for event in events} != {command.product_id or first.product_id}:
        about = command.product_id or "one product"
        yield f"{who} is about {about}, its event about {sorted({event.product_id for event in events})}"
    if last.position - first.position != len(events) - 1 or len({_request(event) for event in events}) > 1:
        yield f"{who} was not written in one piece: positions {[event.position for event in events]}"
    answer = command.answer
    if answer is not None and answer.stream_version != last.stream_version:
        yield f"{who} was told version {answer.stream_version}, its event has {last.stream_version}"
    if command.if_version is not None and first.stream_version != command.if_version + 1:
        yield f"{who} was for version {command.if_version}, its event has {first.stream_version}"


def _request(event: Logged) -> str:
    return str(event.metadata["correlation_id"])


def _promises_of_nothing(command: Command, events: Sequence[Logged]) -> Iterator[str]:
    promised_nothing = {
        attempt.request_id: attempt.said
        for attempt in command.attempts
        if attempt.outcome in ("refused", "not-written")
    }
    for event in events:
        said = promised_nothing.get(_request(event))
        if said is not None:
            who = f"{command.kind} {command.command_id}"
            yield f"{who}: the attempt answered with {said} has written position {event.position}"


def _order_of_answers(commands: Sequence[Command], events_of: _EventsOf) -> Iterator[str]:
    """A command that was sent after another one was answered comes after it in the product's stream."""
    by_product: dict[str, list[tuple[int, Command]]] = defaultdict(list)
    for command in commands:
        for event in events_of[command.command_id]:
            by_product[event.product_id].append((event.stream_version, command))
    for versions in by_product.values():
        versions.sort(key=lambda pair: pair[0])
        sent_latest = 0.0
        for _, command in versions:
            if command.answer is not None and command.answer.ended < sent_latest:
                who = f"{command.kind} {command.command_id}"
                yield f"{who} comes after a command that was sent after its answer"
            sent_latest = max(sent_latest, command.attempts[0].started)
