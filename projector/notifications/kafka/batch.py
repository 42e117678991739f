"""Sorts a batch of records to notify of: due, finished, delayed, parked."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from projector.applying.dead_letters import DeadLetter, SingleDeadLetter
from projector.applying.records import Delivered, MadeRecord, Unreadable
from projector.applying.stream_fold import Tally
from projector.kafka.placement import Stop
from projector.kafka.records import Record
from projector.notifications.kafka.retry_topics import Attempt, kept
from projector.notifications.notify import Done, Hopeless, Lacking, TryAgain, Unfinished, Verdict
from shared.ops.logs import get_logger

_log = get_logger(__name__)
MILLISECONDS = 1000
PastOf = Callable[[Record], Attempt]


class Handled(NamedTuple):
    """One record and its outcome; `result` is the label of its count."""

    record: Record
    item: Delivered | Unreadable
    verdict: Verdict
    result: str


def split_due(
    records: Sequence[Record], past_of: PastOf, now_ms: float
) -> tuple[list[Record], dict[int, Stop]]:
    """The records that are due; a partition stops, without a log line, before the first that is not."""
    due: list[Record] = []
    stops: dict[int, Stop] = {}
    for record in records:
        if record.partition in stops:
            continue
        wait_seconds = (past_of(record).not_before_ms - now_ms) / MILLISECONDS
        if wait_seconds > 0:
            reason = f"the next attempt is due in {wait_seconds:.1f} s"
            stops[record.partition] = Stop(record.offset, reason, wait_seconds, is_loud=False)
        else:
            due.append(record)
    return due, stops


def finished(handled: Iterable[Handled], stops: dict[int, Stop], stopped_seconds: float) -> list[Handled]:
    """The records of each partition before the first unfinished one, where the partition stops."""
    done = []
    stopped: set[int] = set()
    for one in handled:
        at, verdict = one.record, one.verdict
        if at.partition in stopped:
            continue
        if isinstance(verdict, Unfinished):
            stops[at.partition] = Stop(at.offset, "the time of its batch was up", 0.0, is_loud=False)
            stopped.add(at.partition)
        elif isinstance(verdict, Lacking):
            stops[at.partition] = Stop(at.offset, verdict.cause, stopped_seconds)
            stopped.add(at.partition)
        else:
            done.append(one)
    return done


def dead_letters_of(done: Iterable[Handled], past_of: PastOf, *, is_last: bool) -> list[DeadLetter]:
    """Records that failed for good, and, after the last delay, those that could not be sent.

    Mails need no order, so each is parked alone.
    """
    dead_letters: list[DeadLetter] = []
    for record, item, verdict, _ in done:
        event = item.event if isinstance(item, Delivered) else None
        match verdict:
            case Hopeless(error_class, cause):
                dead_letters.append(
                    SingleDeadLetter(kept(record, past_of(record), cause), event, error_class, cause)
                )
            case TryAgain(cause) if is_last:
                kept_record = kept(record, past_of(record), cause)
                dead_letters.append(SingleDeadLetter(kept_record, event, "mail-not-sent", cause))
    return dead_letters


def copies_of(done: Iterable[Handled], past_of: PastOf, not_before_ms: int) -> list[MadeRecord]:
    """The records to try again later."""
    return [
        kept(one.record, past_of(one.record), one.verdict.cause, not_before_ms=not_before_ms)
        for one in done
        if isinstance(one.verdict, TryAgain)
    ]


def result_of(verdict: Verdict) -> str:
    """The label under which its event is counted."""
    match verdict:
        case Done(mails=mails):
            return "notified" if mails else "nothing-new"
        case TryAgain():
            return "put-off"
        case _:
            return "parked"


def tally_of(done: Iterable[Handled]) -> Tally:
    """The events that can be read, by type and result."""
    return Counter((one.item.event.event_type, one.result) for one in done if isinstance(one.item, Delivered))


def log_attempts(projection: str, done: Iterable[Handled]) -> None:
    """A line for each event with mails that were sent now, or put off."""
    for _, item, verdict, result in done:
        if isinstance(item, Delivered) and (isinstance(verdict, TryAgain) or result == "notified"):
            event = item.event
            _log.info(
                "mails attempted",
                projection=projection,
                result=result,
                product_id=str(event.product_id),
                event_id=str(event.metadata.event_id),
                correlation_id=event.metadata.correlation_id,
                cause=verdict.cause if isinstance(verdict, TryAgain) else None,
            )


def or_raised(outcome: Handled | BaseException) -> Handled:
    """Call it when all have ended, so that sent mails are settled before the first error is raised."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
