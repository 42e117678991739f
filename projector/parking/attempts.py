"""One run over dead letters: tries each, counts, and records in the audit log what failed.

What was done is recorded in the transaction that did it. An attempt that an outage ended is not recorded: it
changed nothing, and the audit log cannot be reached then, either.
"""

from collections.abc import Awaitable, Callable, Sequence

from projector.applying.dead_letters import Action
from projector.audit.ports import AuditLog
from projector.errors import ProjectorError, Unavailable
from projector.parking.answers import ListedDeadLetter, Result
from projector.parking.retry import CannotDiscard, Released, Retrying
from shared.ops.error_text import named
from shared.ops.logs import get_logger

OUTAGES_IN_A_ROW_MAX = 3
_log = get_logger(__name__)


class Attempts:
    """Goes through pages. `outages`: how many dead letters in a row failed by an outage.

    `retrying` None: a dry run.
    """

    def __init__(
        self,
        retrying: Retrying | None,
        one: Callable[[Retrying, ListedDeadLetter], Awaitable[Released]],
        outcome: str,
        audit: AuditLog,
        action: Action,
    ) -> None:
        self.done = self.failed = self.outages = 0
        self.last_cause: str | None = None
        self._retrying = retrying
        self._one = one
        self._outcome = outcome
        self._audit = audit
        self._action = action

    async def page(self, dead_letters: Sequence[ListedDeadLetter]) -> list[Result]:
        """The result of each, up to the outage that ends the run."""
        results: list[Result] = []
        for dead_letter in dead_letters:
            if self.outages >= OUTAGES_IN_A_ROW_MAX:
                break
            results.append(await self._result(dead_letter))
        return results

    async def _result(self, dead_letter: ListedDeadLetter) -> Result:
        if self._retrying is None:
            self.done += 1
            return _result_of(dead_letter, f"would-be-{self._outcome}", Released(0, dead_letter.events))
        try:
            released = await self._one(self._retrying, dead_letter)
            self.outages = 0
        except Unavailable as error:
            released = Released(0, dead_letter.events, str(error))
            self.outages += 1
        except (CannotDiscard, ProjectorError) as error:
            released = Released(0, dead_letter.events, str(error))
            self.outages = 0
        except Exception as error:
            # An unknown error of one dead letter must not keep the others from their attempt.
            _log.exception(
                "an attempt failed with an unknown error", dead_letter_id=dead_letter.dead_letter_id
            )
            released = Released(0, dead_letter.events, named(error))
            self.outages = 0
        self.last_cause = released.cause
        if released.cause:
            self.failed += 1
        else:
            self.done += 1
        if released.cause and not self.outages:
            await self._record_failure(dead_letter, released.cause)
        return _result_of(dead_letter, "failed" if released.cause else self._outcome, released)

    async def _record_failure(self, dead_letter: ListedDeadLetter, cause: str) -> None:
        detail = f"dead letter {dead_letter.dead_letter_id}: {cause}"
        await self._audit.record(
            self._action, dead_letter.projection, "failed", detail, dead_letter.product_id
        )


def _result_of(dead_letter: ListedDeadLetter, outcome: str, released: Released) -> Result:
    return Result(
        dead_letter.projection,
        dead_letter.product_id,
        dead_letter.dead_letter_id,
        outcome,
        released.released,
        released.left,
        released.cause,
    )
