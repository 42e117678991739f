"""Page cursors: where a page ended, and of which list.

They are not signed: a place is checked like any other parameter, and nobody sees another list
by changing one.
"""

import base64
import binascii

from shared.webhooks.errors import BadParameter

_MARK = "\n"


def cursor(of_list: str, place: str) -> str:
    """The `cursor` of the page after `place`."""
    return base64.urlsafe_b64encode(f"{of_list}{_MARK}{place}".encode()).rstrip(b"=").decode()


def place_of(text: str | None, of_list: str) -> str | None:
    """The place in a cursor; None: the first page. Raises `BadParameter`."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise BadParameter("cursor", "is not a cursor that this service gave out") from error
    given_for, mark, place = raw.partition(_MARK)
    if not mark or given_for != of_list:
        raise BadParameter("cursor", "belongs to another list", "foreign")
    return place
