"""docs/metrics.md: every metric as the code declares it, area by area, and those of the client library."""

import ast
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR

from shared.ops import metrics
from shared.ops.metrics.declare import CATALOGUE, FAST_SECONDS, SLOW_SECONDS, Declared, Label

KINDS = frozenset({"counter", "gauge", "histogram"})
# Along the way of an event; areas that are not named here come last.
_ORDER = (
    "requests", "commands", "log_partitions", "relay", "consumer_groups", "projections", "dead_letters",
    "rebuilds", "verifications", "states", "mails", "reads", "local_cache", "pools", "process",
)  # fmt: skip
_NO_AREAS = frozenset({"declare", "labels"})
_LIBRARY = (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR)
_HEAD = """\
<!-- Generated from the code by `make docs`: do not edit. -->
# Metrics

For operators who build boards and alerts.
Each process exports its metrics at `/metrics` of its operations port. They are declared in
`shared/ops/metrics/`, a module for each section of this page. The first words of a section say which process
exports it.

- Every label is bounded: no path, product, SKU, caller or text of an error is the value of a label.
- A counter whose label values are all listed here starts at 0, so `rate` has a value before the first error.
- A gauge that needs a query is measured in the background, not at the scrape. While PostgreSQL or Kafka is
  away, `measured_timestamp_seconds` gets old. After three failures in a row the value is `NaN`: not known.
  Gauges of consumer groups have no value then.
- A histogram has `_bucket`, `_sum` and `_count`. Buckets for callers go from half a millisecond to 10 s and
  have the bounds 0.1, 0.25, 1 and 2 s, which are the objectives for reads, writes, delivery and freshness.
  Buckets for the pipeline go from 5 ms to an hour.

[Observability](observability.md) says which alerts and boards use them.
"""


def metrics_page() -> str:
    """All of docs/metrics.md."""
    sections = [_section(area) for area in areas()]
    return "\n".join([_HEAD, *sections, _library()])


def areas() -> list[str]:
    """The modules that declare metrics, in the order of the page."""
    found = {module.name for module in pkgutil.iter_modules(metrics.__path__)} - _NO_AREAS
    return [*(area for area in _ORDER if area in found), *sorted(found.difference(_ORDER))]


def declared_in(area: str) -> list[Declared]:
    """The metrics of one module, in its order."""
    module = import_module(f"{metrics.__name__}.{area}")
    by_name = {declared.name: declared for declared in CATALOGUE}
    return [by_name[name] for name in _names(Path(str(module.__file__)))]


def _names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            assert isinstance(node.args[0], ast.Constant), f"{file.name}: a metric's name is written out"
            yield str(node.args[0].value)


def _section(area: str) -> str:
    module = import_module(f"{metrics.__name__}.{area}")
    about = " ".join((module.__doc__ or "").split())
    rows = [_row(declared) for declared in declared_in(area)]
    title = area.replace("_", " ").capitalize()
    head = f"## {title}\n\n{about}\n\n| metric | kind | unit | meaning | labels |\n|---|---|---|---|---|"
    return "\n".join([head, *rows, ""])


def _row(one: Declared) -> str:
    labels = "<br>".join(map(_label, one.labels)) or "-"
    kind = one.kind
    if one.buckets and one.buckets not in (FAST_SECONDS, SLOW_SECONDS):
        kind += " up to " + ", ".join(f"{bound:g}" for bound in one.buckets)
    return f"| `{one.name}` | {kind} | {one.unit} | {one.meaning} | {labels} |"


def _label(label: Label) -> str:
    values = f" ({', '.join(f'`{value}`' for value in label.values)})" if label.values else ""
    return f"`{label.name}`: {label.meaning}{values}"


def _library() -> str:
    families = [family for collector in _LIBRARY for family in collector.collect()]
    rows = [
        f"| `{one.name}{'_total' if one.type == 'counter' else ''}` | {one.type} | {one.documentation} |"
        for one in families
    ]
    head = (
        "## Of the client library\n\nEvery process; declared by `prometheus_client`.\n\n"
        "| metric | kind | meaning |\n|---|---|---|"
    )
    return "\n".join([head, *rows, ""])
