"""Older shapes of stored events become the present one while they are read; what is stored never changes.

An upcaster takes the decoded JSON of schema version N and returns that of N + 1. It is pure, and the
golden files under `tests/contract/golden` hold it to its word for ever.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


def _image_addresses_become_images(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 kept pictures as bare addresses; version 2 gives each one room for its alternative text."""
    images = data.get("images")
    if not isinstance(images, list):
        return data  # absent or cleared; what is neither is refused by the present shape
    return {**data, "images": [{"url": address, "alt": None} for address in images]}


UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("product-created", 1): _image_addresses_become_images,
    ("product-details-changed", 1): _image_addresses_become_images,
}
"""(stored type, schema version it reads) -> step to the next version."""
