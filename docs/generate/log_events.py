"""Finds every log event in the source: its name, its levels, and its fields.

The source is the only list that is complete. So it must be readable: the name of an event is written out
where it is logged, and a logger's methods are only called, or chosen by a condition first.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api", "query_api", "projector", "shared")
_LEVELS = {
    "debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error",
    "critical": "critical",
}  # fmt: skip
_MAKERS = ("get_logger", "getLogger")
_EXCEPTION = "exception"


@dataclass(slots=True)
class LogEvent:
    """One name; its call sites may differ in levels and fields."""

    name: str
    levels: set[str] = field(default_factory=set)
    fields: dict[str, None] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)


class Unreadable(Exception):
    """A call whose event cannot be read from the source."""


def log_events() -> dict[str, LogEvent]:
    """All of them, by name. Raises `Unreadable`."""
    found: dict[str, LogEvent] = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            module = file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            for call in calls_in(file.read_text(), module):
                event = found.setdefault(call.name, LogEvent(call.name))
                event.levels |= call.levels
                event.fields |= call.fields
                event.modules |= call.modules
    return found


def calls_in(source: str, module: str) -> Iterator[LogEvent]:
    """Each call of one module. Raises `Unreadable`."""
    tree = ast.parse(source)
    loggers = set(_loggers(tree))
    if not loggers:
        return
    methods = [node for node in ast.walk(tree) if _is_method(node, loggers)]
    chosen = dict(_chosen(tree, loggers))
    read = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        used = [each for each in ast.walk(node.func) if _is_method(each, loggers)]
        names = {each.attr for each in used if isinstance(each, ast.Attribute)}
        read += len(used)
        if isinstance(node.func, ast.Name):
            names |= chosen.get(node.func.id, set())
        if names:
            yield _event(node, names, module)
    assigned = sum(_is_method(each, loggers) for value in _values(tree) for each in _branches(value))
    if read + assigned < len(methods):
        raise Unreadable(f"{module}: a logger's method is neither called nor chosen by a condition")


def _loggers(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            maker = node.value.func
            name = maker.attr if isinstance(maker, ast.Attribute) else getattr(maker, "id", "")
            if name in _MAKERS:
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _is_method(node: ast.AST, loggers: set[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in _LEVELS
        and isinstance(node.value, ast.Name)
        and node.value.id in loggers
    )


def _values(tree: ast.Module) -> Iterator[ast.expr]:
    yield from (node.value for node in ast.walk(tree) if isinstance(node, ast.Assign))


def _branches(value: ast.expr) -> Iterator[ast.expr]:
    """What an assignment may assign: `a if x else b` is a or b."""
    if isinstance(value, ast.IfExp):
        yield from _branches(value.body)
        yield from _branches(value.orelse)
    else:
        yield value


def _chosen(tree: ast.Module, loggers: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Names that are a logger's method, such as `write`, and which methods they may be."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            for branch in _branches(node.value):
                if isinstance(branch, ast.Attribute) and _is_method(branch, loggers):
                    found.setdefault(node.targets[0].id, set()).add(branch.attr)
    yield from found.items()


def _event(call: ast.Call, methods: set[str], module: str) -> LogEvent:
    name = call.args[0] if call.args else None
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        raise Unreadable(f"{module}, line {call.lineno}: write the event's name out")
    if any(keyword.arg is None for keyword in call.keywords):
        raise Unreadable(f"{module}, line {call.lineno}: write the event's fields out")
    fields = {str(keyword.arg): None for keyword in call.keywords if keyword.arg != "exc_info"}
    if "exception" in methods or len(fields) < len(call.keywords):
        fields[_EXCEPTION] = None
    return LogEvent(name.value, {_LEVELS[method] for method in methods}, fields, {module})
