"""Compares what a page shows with what a command has printed.

A page shows an example: ids, tokens and times are other ones at each run. What is shown for an id stands for
the id that was printed in its place from then on, in later commands and outputs too, as it does for a reader.
`...` on a line of its own stands for any lines, within a line for any text. Spaces and blank lines do not
count.
"""

import re

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Name -> pattern. The first that matches decides.
_REMEMBERED = {
    "id": _UUID,
    "token": r"eyJ[\w-]{20,}",
    "cursor": r"(?<=cursor\":\")[\w.=-]{20,}|(?<=cursor=)[\w.=%-]{20,}",
    "trace": r"\b[0-9a-f]{32}\b",
    "place": r"[a-z-]+\[\d+\]@\d+",
}
_ANY_OF_ITS_KIND = {
    "time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?",
    "date": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})",
    "run": r"\b\d{8}-\d{6}\b",
    "duration": r"\b\d+(?:\.\d+)? ?(?:ms|s)\b",
    "process": r"(?<=pid )\d+",
    "rule": r"-{3,}",
}
_KINDS = _REMEMBERED | _ANY_OF_ITS_KIND
_SPECIAL = re.compile(
    r"(?P<elision>\.\.\.|…)|(?P<space>\s+)|"
    + "|".join(f"(?P<{name}>{kind})" for name, kind in _KINDS.items())
)
_LOOK_BEHIND = re.compile(r"\(\?<=[^)]*\)")


class Examples:
    """What stands on a page for an id -> what it was in this run."""

    def __init__(self) -> None:
        self.real: dict[str, str] = {}

    def in_command(self, text: str) -> str:
        """The command as a reader would type it, with what was really printed."""
        for shown, printed in self.real.items():
            text = text.replace(shown, printed)
        return text

    def differ(self, shown: list[str], printed: str) -> str | None:
        """None if the output is what the page shows; its ids are remembered. Otherwise the difference."""
        lines = [line.strip() for line in printed.splitlines() if line.strip()]
        wanted = [line.strip() for line in shown if line.strip()]
        found = _match(wanted, lines, self.real)
        if found is not None:
            self.real.update(found)
            return None
        return _explanation(wanted, lines, self.real)


def _match(wanted: list[str], lines: list[str], real: dict[str, str]) -> dict[str, str] | None:
    """What was printed for each id that is shown. Elided lines are tried shortest first."""
    if not wanted:
        return {} if not lines else None
    if wanted[0] in ("...", "…"):
        for skipped in range(len(lines) + 1):
            found = _match(wanted[1:], lines[skipped:], real)
            if found is not None:
                return found
        return None
    if not lines:
        return None
    first = _match_line(wanted[0], lines[0], real)
    if first is None:
        return None
    rest = _match(wanted[1:], lines[1:], real | first)
    return None if rest is None else first | rest


def _match_line(wanted: str, line: str, real: dict[str, str]) -> dict[str, str] | None:
    pattern, groups, begin = "", list[str](), 0
    for special in _SPECIAL.finditer(wanted):
        pattern += re.escape(wanted[begin : special.start()])
        begin = special.end()
        kind, text = special.lastgroup or "", special[0]
        if kind == "elision":
            pattern += r".*"
        elif kind == "space":
            pattern += r"\s+"
        elif text in real:
            pattern += re.escape(real[text])
        elif text in groups:
            pattern += rf"(?P=g{groups.index(text)})"
        elif kind in _REMEMBERED:
            pattern += rf"(?P<g{len(groups)}>{_LOOK_BEHIND.sub('', _KINDS[kind])})"
            groups.append(text)
        else:
            pattern += _LOOK_BEHIND.sub("", rf"(?:{_KINDS[kind]})")
    matched = re.fullmatch(pattern + re.escape(wanted[begin:]), line)
    if matched is None:
        return None
    return {shown: matched[f"g{number}"] for number, shown in enumerate(groups)}


def _explanation(wanted: list[str], lines: list[str], real: dict[str, str]) -> str:
    """The longest beginning that agrees, and the line of the page that has no match behind it."""
    agreed = max(n for n in range(len(wanted) + 1) if _match([*wanted[:n], "..."], lines, real) is not None)
    missing = wanted[agreed] if agreed < len(wanted) else "(nothing more)"
    return f"the page shows\n    {missing}\nbut printed was\n" + "\n".join(f"    {line}" for line in lines)
