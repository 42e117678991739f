"""Outcomes by kind of request, with exact percentiles.

A million latencies are 8 MB, so nothing has to be put into buckets (HdrHistogram): the figures are exact.
"""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
SHED_STATUSES = (429, 503)


def percentile(in_order: Sequence[float], percent: float) -> float | None:
    """The smallest value that is not below `percent` of all values (nearest rank); None without values."""
    if not in_order:
        return None
    rank = -(-len(in_order) * percent // 100)
    return in_order[max(0, int(rank) - 1)]


@dataclass
class Outcomes:
    """What became of the requests of one kind. Latencies are seconds from when the request was due.

    `admitted`: answered with success. `shed`: refused with 429 or 503. `errors`: everything else, by status
    and code.
    """

    admitted: "array[float]" = field(default_factory=lambda: array("d"))
    shed: "array[float]" = field(default_factory=lambda: array("d"))
    shed_codes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    shed_without_retry_after: int = 0

    def count(self, status: int, code: str, seconds: float, *, has_retry_after: bool) -> None:
        """Count an answer; `code` is that of its problem document, or empty."""
        if status < 400:
            self.admitted.append(seconds)
        elif status in SHED_STATUSES:
            self.shed.append(seconds)
            self.shed_codes[f"{status} {code}"] += 1
            self.shed_without_retry_after += not has_retry_after
        else:
            self.errors[f"{status} {code}"] += 1

    def fail(self, why: str) -> None:
        """Count a request that got no answer."""
        self.errors[why] += 1

    @property
    def answered(self) -> int:
        """Answers of any status, and requests that got none."""
        return len(self.admitted) + len(self.shed) + self.errors.total()

    def figures(self) -> dict[str, object]:
        """For the report."""
        return {
            "requests": self.answered,
            "admitted": len(self.admitted),
            "shed": len(self.shed),
            "errors": self.errors.total(),
            "milliseconds": milliseconds(self.admitted),
            "shed_milliseconds": milliseconds(self.shed),
            "shed_by_code": dict(self.shed_codes),
            "shed_without_retry_after": self.shed_without_retry_after,
            "errors_by_code": dict(self.errors),
        }


def milliseconds(seconds: Sequence[float]) -> dict[str, float | None]:
    """The percentiles and the maximum, as `p50`, `p99` ... `max`."""
    in_order = sorted(seconds)
    named = {f"p{percent:g}": percentile(in_order, percent) for percent in PERCENTILES}
    named["max"] = in_order[-1] if in_order else None
    return {name: None if value is None else round(value * 1000, 2) for name, value in named.items()}


def together(outcomes: Mapping[str, Outcomes]) -> Outcomes:
    """All kinds as one."""
    all_of_them = Outcomes()
    for each in outcomes.values():
        all_of_them.admitted += each.admitted
        all_of_them.shed += each.shed
        all_of_them.shed_codes += each.shed_codes
        all_of_them.errors += each.errors
        all_of_them.shed_without_retry_after += each.shed_without_retry_after
    return all_of_them
