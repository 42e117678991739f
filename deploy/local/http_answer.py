"""Whether a server of the stack answers over HTTP."""

import http.client

from deploy.local.ports import HOST

_ANSWER_SECONDS_MAX = 2.0


def answers_ok(port: int, path: str) -> bool:
    """True if GET of this path answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
