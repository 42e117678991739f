"""When the certificates of this process expire, for an alert weeks before."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.process import CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS

_SECONDS = 60.0
_SECONDS_MAX = 10.0
# A bundle of authorities has some hundred kilobytes.
_FILE_BYTES_MAX = 4 * 1024 * 1024


def certificate_measurements(files: Sequence[str]) -> list[Measurement]:
    """One for each file, so that an unreadable one is named and does not hide the others."""
    return [
        Measurement(
            f"certificate {file}", partial(_measure, file), _SECONDS, _SECONDS_MAX, partial(_forget, file)
        )
        for file in files
    ]


def first_expiry(pem: bytes) -> float:
    """Seconds since 1970 when the first of the certificates expires. Raises ValueError if there is none."""
    return min(one.not_valid_after_utc.timestamp() for one in load_pem_x509_certificates(pem))


async def _measure(file: str) -> None:
    CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS.labels(file).set(await asyncio.to_thread(_read, file))


def _forget(file: str) -> None:
    unknown([CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS.labels(file)])


def _read(file: str) -> float:
    with Path(file).open("rb") as opened:
        return first_expiry(opened.read(_FILE_BYTES_MAX))
