"""`python -m deploy.grafana.render`: every board as a picture, drawn from what a Prometheus has collected.

It shows each panel with data where there is no Grafana: the same queries, titles and legends. It needs
matplotlib, which is in the dependency group `bench`.
"""

import argparse
import json
import math
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from deploy.grafana.board import WINDOW, Board, Panel
from deploy.grafana.boards import BOARDS

_COLUMNS, _POINTS, _LEGEND_LINES_MAX = 3, 120, 8
_WIDTH_INCHES, _HEIGHT_INCHES, _DOTS_PER_INCH = 4.4, 2.6, 60
_COLOURS = 32


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes one PNG for each board."""
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.render", description=__doc__)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", metavar="URL")
    parser.add_argument("--minutes", type=int, default=15, help="up to now")
    parser.add_argument("--window", default="1m", help="in the place of Grafana's $__rate_interval")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    for board in BOARDS:
        _draw(board, given.prometheus, given.minutes * 60, given.window, given.folder / f"{board.name}.png")


def _draw(board: Board, prometheus: str, seconds: int, window: str, file: Path) -> None:
    from matplotlib.figure import Figure
    from PIL import Image

    panels = list(board.panels())
    lines = math.ceil(len(panels) / _COLUMNS)
    figure = Figure(figsize=(_COLUMNS * _WIDTH_INCHES, lines * _HEIGHT_INCHES), layout="constrained")
    figure.suptitle(board.title, fontsize=12)
    axes = figure.subplots(lines, _COLUMNS, squeeze=False).flat
    for panel, plot in zip(panels, axes, strict=False):
        _draw_panel(panel, plot, prometheus, seconds, window)
    for unused in list(axes)[len(panels) :]:
        unused.axis("off")
    picture = BytesIO()
    figure.savefig(picture, dpi=_DOTS_PER_INCH)
    # A palette of 32 colours makes the file a third as large.
    Image.open(picture).convert("RGB").quantize(_COLOURS).save(file, optimize=True)


def _draw_panel(panel: Panel, plot: Any, prometheus: str, seconds: int, window: str) -> None:
    plot.set_title(f"{panel.title} [{panel.unit}]", fontsize=8)
    plot.tick_params(labelsize=6)
    for query in panel.queries:
        for series in _query_range(prometheus, query.expr.replace(WINDOW, window), seconds):
            times = [datetime.fromtimestamp(moment, UTC) for moment, _ in series["values"]]
            values = [float(value) for _, value in series["values"]]
            plot.plot(times, values, linewidth=1, label=_legend(query.legend, series["metric"]))
    if not plot.lines:
        plot.text(0.5, 0.5, "no data", ha="center", va="center", fontsize=8, transform=plot.transAxes)
        return
    for label in plot.get_xticklabels():
        label.set_rotation(30)
    if len(plot.lines) <= _LEGEND_LINES_MAX:
        plot.legend(fontsize=5, loc="best")


def _query_range(prometheus: str, query: str, seconds: int) -> list[dict[str, Any]]:
    end = time.time()
    parameters = {"query": query, "start": end - seconds, "end": end, "step": max(1, seconds // _POINTS)}
    address = f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def _legend(template: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return template


if __name__ == "__main__":
    main()
