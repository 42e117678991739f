"""Each alert stays silent, fires and clears, evaluated by promtool over the real rules."""

from pathlib import Path

import pytest

from tests.observability.alert_case import Case, unit_test
from tests.observability.alert_cases import CASES
from tests.observability.promtool import promtool, run_rule_tests
from tests.observability.rule_files import PROMETHEUS, RULE_FILES, Rule, alerts

_SEVERITIES = {"page", "ticket"}


def _rule(case: Case) -> Rule:
    (found,) = (
        rule for rule in alerts() if rule.alert == case.alert and rule.labels["severity"] == case.severity
    )
    return found


def test_prometheus_accepts_the_configuration_and_its_rules() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


def test_every_alert_has_a_case() -> None:
    tried = {case.alert for case in CASES} | {"ErrorBudgetBurns"}
    assert {rule.alert for rule in alerts()} == tried


def test_every_alert_says_how_urgent_it_is_and_what_happened() -> None:
    for rule in alerts():
        assert rule.labels["severity"] in _SEVERITIES, rule.alert
        assert set(rule.annotations) == {"summary", "description", "runbook_url"}, rule.alert
        assert rule.annotations["description"].rstrip().endswith("."), rule.alert


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_alert_is_silent_inside_its_limit_fires_and_clears(case: Case, tmp_path: Path) -> None:
    rule = _rule(case)
    run_rule_tests(tmp_path, unit_test(case, rule, str(rule.file)))
