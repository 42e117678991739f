"""What a query names: metrics with their label matchers, and the labels that it groups and joins by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import promql_parser

_PARTS = ("lhs", "rhs", "expr", "vector_selector", "param")


class Selector(NamedTuple):
    """One metric in a query, the labels that the query expects it to have, and values given with `=`."""

    metric: str
    labels: frozenset[str]
    values: tuple[tuple[str, str], ...]


def selectors(query: str) -> list[Selector]:
    """Raises ValueError if the query cannot be parsed."""
    return list(_selectors(promql_parser.parse(query), frozenset()))


def _selectors(node: Any, expected: frozenset[str]) -> Iterator[Selector]:
    """`expected`: labels that surround the node, by `by` or `on`, so that its series must have them."""
    if isinstance(node, promql_parser.VectorSelector):
        matchers = node.matchers.matchers
        labels = expected | {matcher.name for matcher in matchers}
        equal = [(each.name, each.value) for each in matchers if each.op == promql_parser.MatchOp.Equal]
        yield Selector(node.name or "", labels, tuple(equal))
        return
    inner = _named_by(node) if isinstance(node, promql_parser.AggregateExpr) else expected
    if isinstance(node, promql_parser.BinaryExpr):
        inner = inner | _named_by(node)
    if isinstance(node, promql_parser.Call) and node.func.name == "label_replace":
        # It makes one label from another.
        made, source = node.args[1].val, node.args[3].val
        inner = inner - {made} | {source}
    for part in _PARTS:
        if getattr(node, part, None) is not None:
            yield from _selectors(getattr(node, part), inner)
    for argument in getattr(node, "args", None) or ():
        yield from _selectors(argument, inner)


def _named_by(node: Any) -> frozenset[str]:
    modifier = node.modifier
    if modifier is None:
        return frozenset()
    matching = modifier.matching if isinstance(node, promql_parser.BinaryExpr) else modifier
    is_named = matching is not None and matching.type in (
        promql_parser.AggModifierType.By if isinstance(node, promql_parser.AggregateExpr) else
        promql_parser.LabelModifierType.Include,
    )  # fmt: skip
    return frozenset(matching.labels) if is_named else frozenset()
