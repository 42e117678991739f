"""Turns older shapes of stored events into the present one when they are read; stored events never change.

An upcaster takes the decoded JSON of schema version N and returns that of N + 1. It is pure, and the golden
files under `tests/contract/golden` prove it for ever.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


def _image_addresses_become_images(data: dict[str, Any]) -> dict[str, Any]:
    """In version 1 an image is an address only; in version 2 it also has an alternative text."""
    images = data.get("images")
    if not isinstance(images, list):
        return data  # absent or cleared; the present shape refuses other values
    return {**data, "images": [{"url": address, "alt": None} for address in images]}


UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("product-created", 1): _image_addresses_become_images,
    ("product-details-changed", 1): _image_addresses_become_images,
}
"""(stored type, schema version it reads) -> step to the next version."""
