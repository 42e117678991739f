"""A mail server of the tests' own (aiosmtpd), on a port that it keeps over a stop; it fails as it is told to.

`behave` is for every connection from then on, `then` for the next ones, one each:

    accept                   the mail is taken
    220:<answer>             the greeting is this instead; likewise MAIL:, RCPT:, DATA: (before the mail), and
    end:<answer>             once the mail is there
    MAIL:drop, DATA:drop     the connection is closed instead of an answer
    end:drop                 the mail is taken, and the connection closed without a word
    MAIL:hang, end:hang      nothing is answered (at the end: although the mail is taken)
"""

import asyncio
import time
import warnings
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from deploy.local.ports import HOST, free_port


@dataclass(frozen=True)
class Received:
    """A mail that the server has, whatever it answered."""

    sender: str
    recipient: str
    raw: bytes
    taken_at_ms: float

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return str(self.message.get_content())


class MailServer:
    """`taken` has what was accepted; `connections` counts who came."""

    def __init__(self, port: int | None = None, **more: Any) -> None:
        self.port = free_port() if port is None else port
        self.taken: list[Received] = []
        self.connections = 0
        self._more = more
        self._always = "accept"
        self._next: deque[str] = deque()
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def behave(self, behaviour: str) -> None:
        self._next.clear()
        self._always = behaviour

    def then(self, *behaviours: str) -> None:
        self._next.extend(behaviours)

    def recipients(self) -> list[str]:
        return [one.recipient for one in self.taken]

    def subjects(self) -> list[str]:
        return [one.subject for one in self.taken]

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, **self._more), HOST, self.port
        )

    async def stop(self) -> None:
        """As a crash: nobody hears of it before they speak."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._open):
                if connection.transport is not None:
                    connection.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def behaviour(self) -> str:
        self.connections += 1
        return self._next.popleft() if self._next else self._always


class _Connection(SMTP):
    def __init__(self, server: MailServer, **more: Any) -> None:
        with warnings.catch_warnings():
            # That a log-in without TLS is not safe.
            warnings.simplefilter("ignore", UserWarning)
            super().__init__(self, hostname="mail.test", loop=asyncio.get_running_loop(), **more)
        self._mails = server
        self._place, _, self._answer = server.behaviour().partition(":")
        server._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._mails._open.discard(self)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if self._place == "220" and str(status).startswith("220"):
            status = self._answer
        await super().push(status)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._fails("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._fails("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._fails("DATA"):
            await super().smtp_DATA(arg)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self._mails.taken += [
            Received(envelope.mail_from, recipient, envelope.content, time.time() * 1000)
            for recipient in envelope.rcpt_tos
        ]
        if self._place != "end":
            return "250 taken"
        if self._answer not in ("drop", "hang"):
            del self._mails.taken[-len(envelope.rcpt_tos) :]
            return self._answer
        await self._fails("end")
        return "250 too late"

    async def _fails(self, place: str) -> bool:
        if self._place != place:
            return False
        if self._answer == "hang":
            await asyncio.Event().wait()
        elif self._answer == "drop":
            assert self.transport is not None
            self.transport.abort()
        else:
            await self.push(self._answer)
        return True


def only(user: bytes, password: bytes) -> Any:
    """An authenticator for one user."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (user, password), handled=False)

    return authenticate


@asynccontextmanager
async def mail_server(**more: Any) -> AsyncIterator[MailServer]:
    server = MailServer(**more)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
