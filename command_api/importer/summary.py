"""The counts of an import; they add up: products = accepted + rejected."""

from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["created", "changed", "unchanged", "updated_or_unchanged"]
NAMES_SHOWN_MAX = 5


@dataclass
class Noted:
    """A remark of the summary: how many products it is about, and the first few of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < NAMES_SHOWN_MAX:
            self.first.append(name)

    def as_json(self) -> dict[str, Any]:
        return {"count": self.count, "first": self.first}

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.first) else ""
        return f"{self.count:,} ({', '.join(self.first)}{more})"


@dataclass
class Summary:
    """Counts of products; `updated_or_unchanged` counts those for which the API does not say which."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    updated_or_unchanged: int = 0
    rejected: int = 0
    unknown_columns: tuple[str, ...] = ()
    rejected_file: str | None = None
    error: str | None = None
    made_slugs: Noted = field(default_factory=Noted)
    drafts_left_as_they_are: Noted = field(default_factory=Noted)
    unlisted: Noted = field(default_factory=Noted)
    created_without_status: Noted = field(default_factory=Noted)

    @property
    def accepted(self) -> int:
        return self.created + self.changed + self.unchanged + self.updated_or_unchanged

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)

    def as_json(self) -> dict[str, Any]:
        members = {
            name: value.as_json() if isinstance(value, Noted) else value for name, value in vars(self).items()
        }
        return {
            "products": self.accepted + self.rejected,
            "accepted": self.accepted,
            **members,
            "unknown_columns": list(self.unknown_columns),
        }

    def as_text(self) -> str:
        counts = [("created", self.created), ("changed", self.changed), ("unchanged", self.unchanged)]
        if self.updated_or_unchanged:
            counts.append(("updated or unchanged", self.updated_or_unchanged))
        numbers = ", ".join(f"{number:,} {word}" for word, number in counts)
        lines = [f"accepted: {self.accepted:,} ({numbers})", f"rejected: {self.rejected:,}"]
        if self.rejected_file and self.rejected:
            lines[-1] += f" (see {self.rejected_file})"
        if self.unknown_columns:
            names = ", ".join(self.unknown_columns)
            lines.append(f"unknown columns: {len(self.unknown_columns)} ({names})")
        lines += [f"{text}: {noted}" for text, noted in self._notes() if noted.count]
        return "\n".join(lines)

    def _notes(self) -> tuple[tuple[str, Noted], ...]:
        return (
            ("slugs made of the words of a handle", self.made_slugs),
            (
                "drafts in the file, but published before: their status was left as it is",
                self.drafts_left_as_they_are,
            ),
            ("unlisted products, loaded as drafts", self.unlisted),
            ("new products that stay drafts, because the file states no status", self.created_without_status),
        )
