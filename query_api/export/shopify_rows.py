"""Documents as rows of Shopify's product CSV. Pure.

Rows of one handle are one product: its own cells and the names of its options are on the first row, each row
has one variant and one image, and rows with an image alone follow.
"""

import msgspec

from query_api.export.shopify_exact import exact_rows
from query_api.export.shopify_quick import QuickProduct, quick_rows

_products = msgspec.json.Decoder(QuickProduct)


def rows_of(lines: bytes) -> bytes:
    """The rows of these documents, which are one a line."""
    rows: list[str] = []
    separate: list[bytes] = []
    for place, product in enumerate(_products.decode_lines(lines)):
        quick = quick_rows(product)
        if quick is None:
            separate = separate or lines.split(b"\n")
            quick = exact_rows(separate[place])
        rows.append(quick)
    return "".join(rows).encode()
