"""The boards: generated from their definitions, complete, and each panel leads to a runbook."""

import json
import re
from typing import Any

import pytest
import yaml

from deploy.grafana.boards import BOARDS, DASHBOARDS, files
from tests.observability.rule_files import ROOT, RUNBOOKS, alerts, pages_of

_BOARDS = [json.loads(text) for text in files().values()]
# The panel of CertificateExpires shows both. The operator of PostgreSQL has boards for backups.
_WITHOUT_A_PANEL = {"CertificateExpiresNow", "BackupOld"}
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def _panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] not in ("row", "text")]


def test_the_files_are_what_the_definitions_say() -> None:
    """Otherwise: `make docs`."""
    assert {file: file.read_text() for file in DASHBOARDS.iterdir()} == files()


def test_boards_have_names_of_their_own() -> None:
    assert (
        len({board["uid"] for board in _BOARDS}) == len(BOARDS) == len({board["title"] for board in _BOARDS})
    )


@pytest.mark.parametrize("board", _BOARDS, ids=lambda board: board["uid"])
def test_every_panel_has_a_unit_a_description_a_runbook_and_the_chosen_datasource(
    board: dict[str, Any],
) -> None:
    assert _panels(board)
    for panel in _panels(board):
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert re.search(r"[.:]$", panel["description"]), panel["title"]
        (link,) = panel["links"]
        page = RUNBOOKS / link["url"].removeprefix("${documentation}docs/runbooks/")
        assert page.is_file(), panel["title"]
        assert panel["datasource"] == _DATASOURCE
        assert all(target["datasource"] == _DATASOURCE for target in panel["targets"])
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "documentation"}


@pytest.mark.parametrize("board", _BOARDS, ids=lambda board: board["uid"])
def test_panels_have_numbers_of_their_own_and_do_not_overlap(board: dict[str, Any]) -> None:
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24


def test_every_alert_is_behind_a_panel() -> None:
    """Who comes from an alert finds its numbers on a board."""
    linked = {panel.runbook for board in BOARDS for panel in board.panels()}
    wanted = {page.stem for alert in alerts() for page in pages_of(alert)}
    assert wanted - linked == _WITHOUT_A_PANEL


def test_grafana_is_told_where_the_boards_and_prometheus_are() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "catalogue.yml").read_text())["providers"]
    assert provider["type"] == "file"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
