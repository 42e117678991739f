"""Questions of readers and the answers they may get, for what judges them."""

import json

from tests.end_to_end.readers import Asked, Shown

ID, OTHER = "0192aaaa-0000-7000-8000-000000000001", "0192aaaa-0000-7000-8000-000000000002"


def document(version: int, product_id: str = ID) -> bytes:
    return json.dumps({"id": product_id, "version": version}).encode()


def shown(version: int, product_id: str = ID) -> Shown:
    return Shown(200, f'"{version}"', document(version, product_id))


def asked(
    version: int | None = 3,
    *,
    is_gone: bool = False,
    known_version: int | None = None,
    has_token: bool = True,
) -> Asked:
    return Asked("id", ID, version, is_gone, known_version, has_token)
