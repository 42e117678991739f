"""What one alert is tried with: a healthy time, a harmless one just inside the limit, a fault, and its end.

Promtool evaluates the real rules over these series, a sample a minute. The alert must be silent at the end of
the harmless time, fire at the end of the fault with this description, and be gone after it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.observability.rule_files import Rule

DOCUMENTATION = "https://docs.test/catalogue/"
_NO_SAMPLE = "_"


class Gauge(NamedTuple):
    """Its value while all is well, in the harmless time, and during the fault; None: no sample."""

    series: str
    well: float | None
    harmless: float | None
    fault: float | None

    def samples(self, minutes: Sequence[int]) -> str:
        values = (self.well, self.harmless, self.fault, self.well)
        shown = [_NO_SAMPLE if value is None else f"{value:g}" for value in values]
        return " ".join(
            value for value, length in zip(shown, minutes, strict=True) for value in [value] * length
        )


class Moment(NamedTuple):
    """A time stamp that moves with the clock: how many seconds it is after now (negative: before)."""

    series: str
    well: float
    harmless: float
    fault: float

    def samples(self, minutes: Sequence[int]) -> str:
        distances = (self.well, self.harmless, self.fault, self.well)
        each = [distance for distance, length in zip(distances, minutes, strict=True) for _ in range(length)]
        return " ".join(f"{minute * 60 + distance:.10g}" for minute, distance in enumerate(each))


class Counter(NamedTuple):
    """How much it grows in a minute, at these times."""

    series: str
    well: float
    harmless: float
    fault: float

    def samples(self, minutes: Sequence[int]) -> str:
        total, samples = 0.0, []
        rates = (self.well, self.harmless, self.fault, self.well)
        for rate, length in zip(rates, minutes, strict=True):
            for _ in range(length):
                total += rate
                samples.append(f"{total:.10g}")
        return " ".join(samples)


class Case(NamedTuple):
    """`description`: what the alert says, values included. `labels`: its labels but for the severity."""

    alert: str
    series: Sequence[Gauge | Counter | Moment]
    labels: dict[str, str]
    description: str
    severity: str = "ticket"
    minutes: tuple[int, int, int, int] = (30, 60, 60, 120)
    evaluation: str = "1m"

    @property
    def name(self) -> str:
        return "-".join([self.alert, self.severity, *self.labels.values()])


def unit_test(case: Case, rule: Rule, rule_file: str) -> dict[str, Any]:
    """The document for `promtool test rules`."""
    well, harmless, fault, _ = case.minutes
    fires = {
        "exp_labels": {**case.labels, "severity": case.severity},
        "exp_annotations": {
            "summary": _with_labels(rule.annotations["summary"], case.labels),
            "description": case.description,
            "runbook_url": _with_labels(rule.annotations["runbook_url"], case.labels),
        },
    }
    moments = [(well - 1, []), (well + harmless - 1, []), (well + harmless + fault - 1, [fires])]
    moments.append((sum(case.minutes) - 1, []))
    return {
        "rule_files": [rule_file],
        "evaluation_interval": case.evaluation,
        "tests": [
            {
                "interval": "1m",
                "external_labels": {"documentation": DOCUMENTATION},
                "input_series": [
                    {"series": each.series, "values": each.samples(case.minutes)} for each in case.series
                ],
                "alert_rule_test": [
                    {"eval_time": f"{minute}m", "alertname": case.alert, "exp_alerts": alerts}
                    for minute, alerts in moments
                ],
            }
        ],
    }


def _with_labels(template: str, labels: dict[str, str]) -> str:
    text = template.replace("{{ $externalLabels.documentation }}", DOCUMENTATION)
    for name, value in labels.items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", value)
    return text
