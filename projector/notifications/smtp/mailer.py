"""Gives a mail to the mail server, and says how far it got when something fails.

    connect, greet, encrypt, log in    fails: the server is unreachable, for any mail
    MAIL, RCPT, DATA                   fails: not sent for certain; 5xx is permanent, others are transient
    the mail itself                    the answer decides; without an answer the outcome is unknown

Each mail has a connection of its own: servers close idle ones, and the outcome of a mail that is sent
into a closing connection is unknown.
"""

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from email.utils import parseaddr
from typing import Literal

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException

from projector.notification_settings import NotificationSettings, SmtpServer, Tls, parse_smtp_url
from projector.notifications.ports import Delivery, Mail
from projector.notifications.smtp.message import message_bytes
from shared.ops.error_text import named
from shared.ops.tls import SYSTEM_AUTHORITIES, ClientTls, TlsFiles

_START_INPUT = 354
_QUIT_SECONDS_MAX = 2.0
_START_TLS: dict[Tls, bool | None] = {
    "tls": False, "none": False, "starttls": True, "starttls-if-offered": None,
}  # fmt: skip
_leading_period = re.compile(rb"(?m)^\.")
_Stage = Literal["connecting", "addressing", "handed over"]


class SmtpMailer:
    """Implements `Mailer`. Any number of mails at a time: the caller sets the limit.

    `server` is asked for each mail, because its password may change.
    """

    def __init__(
        self,
        server: Callable[[], SmtpServer],
        sender: str,
        *,
        timeout_seconds: float,
        seconds_max: float,
        certificates: TlsFiles = SYSTEM_AUTHORITIES,
    ) -> None:
        self._server = server
        self._sender = sender
        self._timeout_seconds = timeout_seconds
        self._seconds_max = seconds_max
        self._tls = ClientTls(certificates)
        self._own_name: str | None = None

    async def send(self, mail: Mail) -> Delivery:
        message = message_bytes(mail, self._sender)
        if self._own_name is None:
            self._own_name = await asyncio.to_thread(socket.getfqdn)
        try:
            client = self._client()
        except (ValueError, OSError) as error:  # a rotated address, or certificates, that cannot be used
            return _silent("connecting", error)
        conversation = _Conversation(client)
        try:
            async with asyncio.timeout(self._seconds_max):
                return await conversation.hold(parseaddr(self._sender)[1], mail.recipient, message)
        except SMTPResponseException as error:
            return _answered(conversation.stage, error.code, str(error.message))
        except (SMTPException, OSError, TimeoutError) as error:
            return _silent(conversation.stage, error)
        finally:
            await conversation.end()

    def _client(self) -> SMTP:
        server = self._server()
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password if server.user is not None else None,
            local_hostname=self._own_name,
            timeout=self._timeout_seconds,
            use_tls=server.tls == "tls",
            start_tls=_START_TLS[server.tls],
            tls_context=None if server.tls == "none" else self._tls.context(),
        )


def mailer(settings: NotificationSettings) -> SmtpMailer | None:
    """None: there is no mail server, or nobody to write to."""
    if not settings.sends_mails:
        return None
    url = settings.smtp_url
    return SmtpMailer(
        lambda: parse_smtp_url(url.read()),
        settings.notification_sender,
        certificates=TlsFiles(settings.smtp_ca_file),
        timeout_seconds=settings.smtp_timeout_seconds,
        seconds_max=settings.notification_send_seconds_max,
    )


class _Conversation:
    """The SMTP conversation about one mail."""

    def __init__(self, client: SMTP) -> None:
        self._client = client
        self.stage: _Stage = "connecting"

    async def hold(self, sender: str, recipient: str, message: bytes) -> Delivery:
        """Raises aiosmtplib's errors."""
        client = self._client
        await client.connect()
        self.stage = "addressing"
        await client.mail(sender)
        await client.rcpt(recipient)
        # Step by step: aiosmtplib's own `data` does not say whether the mail had begun to go out.
        ready = await client.execute_command(b"DATA")
        if ready.code != _START_INPUT:
            return _answered(self.stage, ready.code, ready.message)
        assert client.protocol is not None, "it has just answered"
        self.stage = "handed over"
        client.protocol.write(_leading_period.sub(b"..", message) + b".\r\n")
        answer = await client.protocol.read_response(timeout=client.timeout)
        return _answered(self.stage, answer.code, answer.message)

    async def end(self) -> None:
        """The outcome is known; QUIT is only polite."""
        with suppress(Exception):
            async with asyncio.timeout(_QUIT_SECONDS_MAX):
                await self._client.quit()
        self._client.close()


def _answered(stage: _Stage, code: int, text: str) -> Delivery:
    """Whether the server itself answered. Code -1 means that it does not speak SMTP, which is no answer."""
    cause = _printable(f"{code} {text}")
    if stage == "connecting":
        # Also 535 and similar codes: the log-in is wrong, not this mail.
        return Delivery("unreachable", cause)
    if stage == "handed over" and 200 <= code < 300:
        return Delivery("sent", cause)
    if 500 <= code < 600:
        return Delivery("refused", cause)
    if stage == "handed over" and not 400 <= code < 500:
        return Delivery("unknown", cause)
    return Delivery("not-sent", cause)


def _silent(stage: _Stage, error: Exception) -> Delivery:
    cause = _printable(named(error))
    match stage:
        case "connecting":
            return Delivery("unreachable", cause)
        case "addressing":
            return Delivery("not-sent", cause)
        case "handed over":
            return Delivery("unknown", f"the connection was lost after the mail was handed over: {cause}")


def _printable(text: str) -> str:
    """An answer may hold any bytes; aiosmtplib keeps invalid UTF-8 as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0").replace("\n", " ")
