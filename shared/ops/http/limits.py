"""The limits of every port: how much one client may use, and for how long."""

from dataclasses import dataclass

from shared.ops.http.local_requests import LocalRequests

# Request line and headers, in their sent form.
HEAD_BYTES_MAX = 65_536
# The request's address with its query string. The longest useful one is a cursor with 200 ids and filters.
TARGET_BYTES_MAX = 32_768
# Open streams of events are connections, too: the default of EVENT_STREAM_CLIENTS_MAX is half of it.
CONNECTIONS_MAX = 8192
# Chunk extensions and trailers of one body together. Our code does not read them.
FRAMING_BYTES_MAX = 131_072
# The size line of a chunk, which is not counted as framing.
CHUNK_LINE_BYTES_MAX = 16
# If the answer is already sent, so much of the body is read and dropped, then the connection closes.
DRAINED_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of one port's connections, from the settings.

    A head may take `head_seconds_max` from its first byte. A body may take `body_seconds_max`, and one second
    more for each `bytes_per_second_min` bytes that have arrived; an answer may take `answer_seconds_max`, and
    one second more for each of those bytes in it. After its last answer a connection is still read for
    `linger_seconds_max`, so that the client can read that answer. All bodies in memory together have at most
    `bodies_bytes_max`. `local` (None: access control is on) refuses requests that are not of this machine.
    """

    head_seconds_max: float = 20.0
    body_seconds_max: float = 20.0
    answer_seconds_max: float = 30.0
    linger_seconds_max: float = 2.0
    bytes_per_second_min: int = 16_384
    bodies_bytes_max: int = 256 * 1024 * 1024
    local: LocalRequests | None = None

    def body_seconds(self, arrived_bytes: int) -> float:
        """The time limit of a body of which so many bytes have arrived."""
        return self.body_seconds_max + arrived_bytes / self.bytes_per_second_min

    def answer_seconds(self, size_bytes: int) -> float:
        """The time limit for a client to read so many bytes."""
        return self.answer_seconds_max + size_bytes / self.bytes_per_second_min
