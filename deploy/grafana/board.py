"""What a board is made of. A panel is short here: Grafana's JSON needs sixty lines for the same.

Every panel has a unit, a sentence that says what is good or bad in it, and the runbook of the alert that
watches the same numbers.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

WINDOW = "$__rate_interval"


class Query(NamedTuple):
    expr: str
    legend: str


class Panel(NamedTuple):
    """`unit` is Grafana's name of it. `runbook`: a page of docs/runbooks, without its ending."""

    title: str
    unit: str
    description: str
    runbook: str
    queries: Sequence[Query]
    kind: str = "timeseries"


class Row(NamedTuple):
    title: str
    panels: Sequence[Panel]


class Board(NamedTuple):
    """`about` says which questions the board answers; it is the board's first panel."""

    name: str
    title: str
    about: str
    rows: Sequence[Row]

    def panels(self) -> Iterator[Panel]:
        for row in self.rows:
            yield from row.panels


def quantiles(
    histogram: str, matchers: str = "", by: str = "", shares: Sequence[float] = (0.5, 0.99)
) -> list[Query]:
    """One query for each share; `by` is one more label to split by."""
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return [
        Query(
            f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{matchers}[{WINDOW}])))",
            f"p{share * 100:g}{legend}",
        )
        for share in shares
    ]


def rate_by(label: str, counter: str, matchers: str = "") -> Query:
    """The rate of a counter, a line for each value of the label."""
    return Query(f"sum by ({label}) (rate({counter}{matchers}[{WINDOW}]))", f"{{{{{label}}}}}")
