"""The text of a digest: the number of products of each sort, and the names of the first ones.

Each product is listed once, however many of its events are in the digest: a new product whose price dropped
is listed as new, and a product that was created and archived has a sort of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from projector.notifications.text import one_line, shortened

Sort = Literal["new", "new-and-archived", "cheaper", "archived"]
_NAME_CHARACTERS_MAX = 120
# In the order of the mail: the heading, then one product and many products in the subject.
_WORDS: Mapping[Sort, tuple[str, str, str]] = {
    "new": ("New products", "new product", "new products"),
    "new-and-archived": (
        "New products that are already archived",
        "archived new product",
        "archived new products",
    ),
    "cheaper": ("Lower prices", "lower price", "lower prices"),
    "archived": ("Archived products", "archived product", "archived products"),
}


class ShownProduct(NamedTuple):
    """`name` None: its history cannot be read."""

    product_id: UUID
    name: str | None


class Section(NamedTuple):
    """The products of one sort; only the first are shown."""

    sort: Sort
    products: int
    shown: Sequence[ShownProduct]


class DigestText(NamedTuple):
    """`subject` is one line, the lines of `body` end with a line feed."""

    subject: str
    body: str


def digest_text(
    sections: Sequence[Section], events: int, import_ids: Sequence[str], imports: int, read_url: str
) -> DigestText:
    """`import_ids` are the first of `imports`; 0 imports: all events were single changes."""
    by_sort = {section.sort: section for section in sections}
    ordered = [by_sort[sort] for sort in _WORDS if sort in by_sort]
    products = sum(section.products for section in ordered)
    changes = _count(events, "change", "changes")
    lines = [f"{changes} of {_count(products, 'product', 'products')}, told in one mail."]
    if imports:
        more = f" and {imports - len(import_ids):,} more" if imports > len(import_ids) else ""
        lines.append(
            f"{'Import' if imports == 1 else 'Imports'}: {', '.join(map(one_line, import_ids))}{more}"
        )
    for section in ordered:
        lines += ["", f"{_WORDS[section.sort][0]}: {section.products:,}"]
        lines += [f"  {_shown(one, read_url)}" for one in section.shown]
        if section.products > len(section.shown):
            lines.append(f"  and {section.products - len(section.shown):,} more")
    counts = [_count(section.products, *_WORDS[section.sort][1:]) for section in ordered]
    return DigestText(f"Catalogue changes: {', '.join(counts)}", "\n".join([*lines, ""]))


def _shown(product: ShownProduct, read_url: str) -> str:
    link = f"{read_url.rstrip('/')}/v1/products/{product.product_id}"
    return (
        link if product.name is None else f"{shortened(one_line(product.name), _NAME_CHARACTERS_MAX)}  {link}"
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
