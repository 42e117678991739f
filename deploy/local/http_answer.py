"""Whether a server of the stack answers over HTTP."""

import http.client

from deploy.local.ports import HOST

_ANSWER_SECONDS_MAX = 2.0


def answers_ok(port: int, path: str) -> bool:
    """True if GET of this path answers 200."""
    answer = answer_of(port, path)
    return answer is not None and answer[0] == http.HTTPStatus.OK


def answer_of(port: int, path: str) -> tuple[int, bytes] | None:
    """Status and body of GET; None: no answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
