"""What an import did, in numbers that add up: products = accepted + rejected."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["created", "changed", "unchanged", "updated_or_unchanged"]


@dataclass
class Summary:
    """Counts of products; `updated_or_unchanged` only grows where the API does not tell the two apart."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    updated_or_unchanged: int = 0
    rejected: int = 0
    unknown_columns: tuple[str, ...] = ()
    rejected_file: str | None = None
    error: str | None = None

    @property
    def accepted(self) -> int:
        return self.created + self.changed + self.unchanged + self.updated_or_unchanged

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)

    def as_json(self) -> dict[str, Any]:
        return {
            "products": self.accepted + self.rejected,
            "accepted": self.accepted,
            **asdict(self),
            "unknown_columns": list(self.unknown_columns),
        }

    def as_text(self) -> str:
        told = [("created", self.created), ("changed", self.changed), ("unchanged", self.unchanged)]
        if self.updated_or_unchanged:
            told.append(("updated or unchanged", self.updated_or_unchanged))
        numbers = ", ".join(f"{number:,} {word}" for word, number in told)
        lines = [f"accepted: {self.accepted:,} ({numbers})", f"rejected: {self.rejected:,}"]
        if self.rejected_file and self.rejected:
            lines[-1] += f" (see {self.rejected_file})"
        if self.unknown_columns:
            names = ", ".join(self.unknown_columns)
            lines.append(f"unknown columns: {len(self.unknown_columns)} ({names})")
        return "\n".join(lines)
