"""A board as Grafana's JSON. Grafana lays panels out on 24 columns; three panels share a line."""

import json
from collections.abc import Iterator
from typing import Any

from deploy.grafana.board import Board, Panel, Query

_COLUMNS, _PANEL_WIDTH, _PANEL_HEIGHT = 24, 8, 8
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_SCHEMA_VERSION = 39


def dashboard_json(board: Board) -> str:
    """Canonical: sorted keys, two spaces, a line's end."""
    document = {
        "uid": f"catalogue-{board.name}",
        "title": board.title,
        "tags": ["product-catalogue"],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "links": [_other_boards()],
        "templating": {"list": _variables()},
        "panels": _numbered(board),
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _numbered(board: Board) -> list[dict[str, Any]]:
    return [{"id": number, **panel} for number, panel in enumerate(_panels(board), start=1)]


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    yield _about(board)
    y = 4
    for row in board.rows:
        yield {
            "type": "row", "title": row.title, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
        }  # fmt: skip
        y += 1
        for index, panel in enumerate(row.panels):
            column, line = index % 3, index // 3
            place = {"x": column * _PANEL_WIDTH, "y": y + line * _PANEL_HEIGHT}
            yield {**_panel(panel), "gridPos": {**place, "w": _PANEL_WIDTH, "h": _PANEL_HEIGHT}}
        y += (len(row.panels) + 2) // 3 * _PANEL_HEIGHT


def _about(board: Board) -> dict[str, Any]:
    return {
        "type": "text",
        "title": "What this board is for",
        "options": {"mode": "markdown", "content": board.about},
        "gridPos": {"x": 0, "y": 0, "w": _COLUMNS, "h": 4},
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": _style(panel)}, "overrides": []},
        "links": [
            {
                "title": f"Runbook {panel.runbook}",
                "url": f"${{documentation}}docs/runbooks/{panel.runbook}.md",
                "targetBlank": True,
            }
        ],
        "options": _options(panel),
        "targets": [_target(number, query) for number, query in enumerate(panel.queries)],
    }


def _target(number: int, query: Query) -> dict[str, Any]:
    letter = chr(ord("A") + number)
    return {"refId": letter, "datasource": _DATASOURCE, "expr": query.expr, "legendFormat": query.legend}


def _style(panel: Panel) -> dict[str, Any]:
    return {} if panel.kind == "stat" else {"fillOpacity": 10, "lineWidth": 1, "showPoints": "never"}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "value",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0},
        {
            "name": "documentation", "label": "Address of the documentation", "type": "textbox",
            "query": "", "current": {"text": "", "value": ""}, "hide": 2,
        },
    ]  # fmt: skip


def _other_boards() -> dict[str, Any]:
    return {
        "type": "dashboards", "title": "Boards", "tags": ["product-catalogue"], "asDropdown": True,
        "includeVars": True, "keepTime": True,
    }  # fmt: skip
