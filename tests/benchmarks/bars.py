"""A picture in text: bars in groups, for a page that is read in a terminal as well as in a browser."""

from collections.abc import Sequence

WIDTH_MAX = 40
_FULL, _LITTLE = "█", "▏"
Groups = Sequence[tuple[str, Sequence[tuple[str, float]]]]


def bar_lines(title: str, groups: Groups) -> list[str]:
    """A block of text. The longest bar has `WIDTH_MAX` characters; one that rounds to none is a thin line."""
    longest = max((value for _, bars in groups for _, value in bars), default=0.0)
    heads = max((len(group) for group, _ in groups), default=0)
    names = max((len(name) for _, bars in groups for name, _ in bars), default=0)
    lines = ["```text", title]
    for group, bars in groups:
        for number, (name, value) in enumerate(bars):
            head = group if number == 0 else ""
            lines.append(f"{head:<{heads}}  {name:<{names}}  {_bar(value, longest)} {value:.2f}")
    return [*lines, "```"]


def _bar(value: float, longest: float) -> str:
    if value <= 0:
        return ""
    return _FULL * round(WIDTH_MAX * value / longest) or _LITTLE
