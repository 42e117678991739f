"""`python -m deploy.local.mail_catcher PORT FOLDER`: a mail server that keeps mails as files and sends none.

Developers see the mails of the system on their machine, and nobody else ever gets one.
"""

import asyncio
import re
import signal
import sys
from collections import deque
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from deploy.local.ports import HOST

MAILS_KEPT_MAX = 1000
_SUBJECT_CHARACTERS_MAX = 60


class Catcher:
    """Keeps the newest mails in a folder, one file each, named after time and subject."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._kept = deque(sorted(folder.glob("*.eml")))

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Accepts a mail when it is on the disk."""
        path = self._folder / _file_name(envelope.original_content)
        part = path.with_suffix(".part")
        part.write_bytes(envelope.original_content)
        part.rename(path)
        self._kept.append(path)
        while len(self._kept) > MAILS_KEPT_MAX:
            self._kept.popleft().unlink(missing_ok=True)
        return f"250 kept as {path.name}"


def _file_name(mail: bytes) -> str:
    """ASCII, because some locales allow no other file names."""
    subject = str(message_from_bytes(mail, policy=default)["Subject"] or "no subject")
    words = re.sub(r"[^A-Za-z0-9]+", "-", subject)[:_SUBJECT_CHARACTERS_MAX].strip("-")
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{words}.eml"


async def serve(port: int, folder: Path) -> None:
    """Serve until SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    catcher = Catcher(folder)
    server = await loop.create_server(
        lambda: SMTP(catcher, hostname="localhost", ident="mail catcher", loop=loop), HOST, port
    )
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
