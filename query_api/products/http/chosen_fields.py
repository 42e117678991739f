"""`fields=`: items of a page with some of their fields, for readers who need no more.

A page is made and cached whole; what was not asked for is left out of the answer at the end. Values are
copied as they stand, never decoded.
"""

import msgspec
from msgspec import Raw

from query_api.errors import BadParameter
from shared.contract.views import ProductDocument

FIELDS = ProductDocument.__struct_fields__
_ALWAYS = "id"
_page = msgspec.json.Decoder(dict[str, Raw])
_items = msgspec.json.Decoder(list[dict[str, Raw]])
_encode = msgspec.json.Encoder().encode


def fields_of(given: str | None) -> frozenset[str] | None:
    """The fields to keep; None: all. Raises `BadParameter`."""
    if given is None:
        return None
    names = given.split(",")
    for name in names:
        if name not in FIELDS:
            raise BadParameter("fields", f"{name!r} is not one of {', '.join(FIELDS)}")
    return frozenset([_ALWAYS, *names])


def with_fields(body: bytes, fields: frozenset[str] | None) -> bytes:
    """The page with only these fields of its items, in the order of the document."""
    if fields is None:
        return body
    page = _page.decode(body)
    items = [
        {name: value for name, value in item.items() if name in fields}
        for item in _items.decode(page["items"])
    ]
    return _encode({**page, "items": items})
