"""`python -S -m shared.ops.ready PORT`: exit code 0 if the process at that operations port is ready.

For the health checks of containers, which have no other program than Python. It is started every few seconds
beside each process, so it imports nothing but sockets: with an HTTP client it took more than twice as long.
"""

import socket
import sys

_ANSWER_SECONDS_MAX = 4.0
_REQUEST = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def is_ready(port: int) -> bool:
    """Whether /readyz answers 200. Raises `OSError` if nobody answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS_MAX) as connection:
        connection.sendall(_REQUEST)
        with connection.makefile("rb") as answer:
            return answer.readline().split()[1:2] == [b"200"]


if __name__ == "__main__":
    sys.exit(not is_ready(int(sys.argv[1])))
