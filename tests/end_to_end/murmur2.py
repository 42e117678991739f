"""The partition that Kafka's Java client gives a key; a second implementation, on purpose."""

_SEED = 0x9747B28C
_M = 0x5BD1E995


def partition_of(key: str, partitions: int) -> int:
    """`toPositive(murmur2(key)) % partitions`."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    hashed = _SEED ^ len(data)
    body, tail = data[: len(data) // 4 * 4], data[len(data) // 4 * 4 :]
    for start in range(0, len(body), 4):
        word = _times(int.from_bytes(body[start : start + 4], "little"))
        hashed = _times(hashed) ^ _times(word ^ word >> 24)
    if tail:
        hashed = _times(hashed ^ int.from_bytes(tail, "little"))
    hashed = _times(hashed ^ hashed >> 13)
    return hashed ^ hashed >> 15


def _times(number: int) -> int:
    return number * _M & 0xFFFFFFFF
