"""The report of a run: commands and reads, faults, and problems."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.run import Outcome
from tests.end_to_end.checker import Evidence
from tests.end_to_end.ledger import Command

_ERRORS_SHOWN_MAX = 6
_PROBLEMS_SHOWN_MAX = 40
_PROBLEM_CHARACTERS_MAX = 1_500


def report(outcome: Outcome, again: str) -> str:
    """`again`: the command that runs the same schedule once more."""
    return "\n".join([*_summary(outcome), *_problems(outcome), f"again:     {again}"])


def _summary(outcome: Outcome) -> Iterator[str]:
    evidence, readers = outcome.evidence, outcome.readers
    commands = outcome.books.commands
    took_effect = _unknown_that_took_effect(outcome)
    outcomes = Counter(command.outcome for command in commands)
    records = evidence.records.get("events", [])
    yield f"seed {outcome.plan.seed}: {outcome.plan.seconds:.0f} s of faults"
    yield f"commands:  {len(commands):,} ({_counts(outcomes)}; of the unknown {took_effect:,} took effect)"
    yield f"           {sum(1 for each in commands if each.batch):,} of them in batches, by kind: " + _counts(
        Counter(command.kind for command in commands)
    )
    yield f"answers:   {_counts(outcome.books.answers)}"
    yield f"reads:     {sum(readers.answers.values()):,} ({_counts(readers.answers)})"
    yield (
        f"           {len(readers.witnessed):,} product versions seen; {readers.went_back:,} reads gave a "
        "version older than their reader had seen, but not older than acknowledged"
    )
    yield f"faults:    {len(outcome.faults):,} ({_counts(Counter(fault.kind for fault in outcome.faults))})"
    yield f"starts:    {outcome.starts:,} processes and servers started again"
    yield (
        f"log:       {len(evidence.log):,} events of {len(evidence.streams):,} products; products-events: "
        f"{len(records):,} records, {len(records) - len(evidence.log):,} of them duplicates"
    )
    views = {name: len(seen) for name, seen in evidence.views.items() if seen is not None}
    yield f"views:     {_counts(views)}"
    yield from _mails(evidence)
    if outcome.logged_errors:
        yield "the most frequent logged errors:"
        for what, count in outcome.logged_errors.most_common(_ERRORS_SHOWN_MAX):
            yield f"           {count:,} {what}"
    yield f"duration:  {', '.join(f'{part} {took:.0f} s' for part, took in outcome.seconds.items())}"


def _mails(evidence: Evidence) -> Iterator[str]:
    if evidence.mails is not None:
        states = Counter(claim.state for claim in evidence.mails.claims.values())
        parked = Counter(one.error_class for one in evidence.parked)
        asked = _counts(parked) if parked else "nothing"
        digests = Counter(one.state for one in evidence.mails.digests.values())
        yield f"mails:     {len(evidence.mails.delivered):,} delivered ({_counts(states)}); parked: {asked}"
        yield f"digests:   {len(evidence.mails.delivered_digests):,} delivered ({_counts(digests)})"


def _unknown_that_took_effect(outcome: Outcome) -> int:
    unknown = {command.command_id for command in outcome.books.commands if _is_unknown(command)}
    written = {str(event.metadata["correlation_id"]).rsplit(".", 1)[0] for event in outcome.evidence.log}
    return len(unknown & written)


def _is_unknown(command: Command) -> bool:
    return command.outcome == "unknown"


def _problems(outcome: Outcome) -> Iterator[str]:
    found = outcome.problems
    if not found:
        yield "verdict:   nothing is lost, nothing was done twice, every view is the fold of the log"
        return
    yield f"verdict:   {len(found):,} PROBLEMS"
    for problem in found[:_PROBLEMS_SHOWN_MAX]:
        yield f"  - {problem[:_PROBLEM_CHARACTERS_MAX]}"
    if len(found) > _PROBLEMS_SHOWN_MAX:
        yield f"  ... and {len(found) - _PROBLEMS_SHOWN_MAX:,} more; report.txt has all of them"


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))
