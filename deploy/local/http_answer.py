"""Whether a server of the stack answers over HTTP."""

import http.client

from deploy.local.ports import HOST

_ANSWER_SECONDS_MAX = 2.0


def http_answers(port: int, path: str) -> bool:
    """True if a server on 127.0.0.1 answers GET `path` with 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
