"""Settings for mails: the server, the sender, the recipients, the delays and limits.

A list is one text with commas, as people write an environment variable.
"""

import re
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Literal, NamedTuple, Self
from urllib.parse import parse_qs, unquote

from pydantic import Field, field_validator, model_validator

from shared.ops.addresses import PublicHttpAddress, check_server, split_url
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import NO_SECRET, Secret
from shared.ops.settings import ProcessSettings
from shared.ops.tls import ReadableFile, TlsFiles

Tls = Literal["tls", "starttls", "starttls-if-offered", "none"]
_STARTTLS: dict[str, Tls] = {"required": "starttls", "if-offered": "starttls-if-offered", "never": "none"}
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_delay = re.compile(r"([1-9][0-9]{0,5})(ms|s|m|h)")


class SmtpServer(NamedTuple):
    """The server that takes the mails; `user` None: without log-in."""

    host: str
    port: int
    user: str | None
    password: str
    tls: Tls


class RetryDelay(NamedTuple):
    """`label` is the delay as written; it is part of the topic's name."""

    label: str
    seconds: float


class NotificationSettings(ProcessSettings):
    """Without a server or without recipients no mail is ever sent."""

    # smtp://user:password@host:port?starttls=required|if-offered|never, or smtps://…; a password is not sent
    # in the clear unless `if-offered` or `never` says so.
    smtp_url: Secret = NO_SECRET
    # The authority that signed the mail server's certificate, if it is none of the system's.
    smtp_ca_file: ReadableFile = None
    # An address, with a name before it in angle brackets if wanted: Catalogue <catalogue@example.org>
    notification_sender: DevelopmentDefault[str] = "Product catalogue <catalogue@localhost>"
    notification_recipients: str = ""
    # One topic each; a mail that is not sent after the last delay is a dead letter.
    notification_retry_delays: str = "10s,1m,10m"
    # For each recipient: at most so many single mails in so many seconds. Further events become one digest at
    # the end of that time; no other digest is sent in it. Events of an import always go into a digest.
    notification_single_mails_max: int = Field(default=10, ge=0, le=10_000)
    notification_digest_seconds: float = Field(default=60.0, gt=0, le=86_400)
    # How long the contents of sent digests are kept, so that no event is in two digests.
    notification_digest_days_kept: int = Field(default=90, ge=1, le=3650)
    # How often each process looks for digests that are due, and for those to delete.
    notification_digest_look_seconds: float = Field(default=1.0, gt=0, le=60)
    notification_digest_purge_seconds: float = Field(default=600.0, gt=0, le=86_400)
    # Connections to the mail server at the same time, of each topic that is read, and of the digests.
    notification_connections_max: int = Field(default=4, ge=1, le=64)
    # One step of the conversation, and the whole of it.
    smtp_timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    notification_send_seconds_max: float = Field(default=15.0, gt=0, le=60)
    # After this long a batch begins no further mail; its rest is delivered again.
    notification_batch_seconds_max: float = Field(default=10.0, gt=0, le=60)
    # The query API's address for readers, for the link in a mail; default: the one on this machine.
    read_url: PublicHttpAddress = ""
    query_port: int = 8001

    @field_validator("smtp_url")
    @classmethod
    def _is_a_server(cls, value: Secret) -> Secret:
        if value:
            parse_smtp_url(value.read())
        return value

    @model_validator(mode="after")
    def _smtp_files_are_used(self) -> Self:
        TlsFiles(self.smtp_ca_file).check()
        return self

    @field_validator("notification_sender")
    @classmethod
    def _is_a_sender(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("expected one line")
        checked_address(parseaddr(value)[1])
        return value

    @field_validator("notification_recipients")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        _addresses(value)
        return value

    @field_validator("notification_retry_delays")
    @classmethod
    def _are_delays(cls, value: str) -> str:
        _delays(value)
        return value

    @property
    def unused_fields(self) -> frozenset[str]:
        """What only mails need."""
        mine = frozenset() if self.sends_mails else frozenset({"notification_sender", "read_url"})
        return super().unused_fields | mine

    @property
    def recipients(self) -> tuple[str, ...]:
        """Each once."""
        return _addresses(self.notification_recipients)

    @property
    def retry_delays(self) -> tuple[RetryDelay, ...]:
        """In the order in which a mail goes through them."""
        return _delays(self.notification_retry_delays)

    @property
    def read_address(self) -> str:
        """Where readers find products: READ_URL, or the query API on this machine."""
        return self.read_url or f"http://127.0.0.1:{self.query_port}"

    @property
    def sends_mails(self) -> bool:
        """Whether there are a server and recipients."""
        return bool(self.smtp_url and self.recipients)


def parse_smtp_url(url: str) -> SmtpServer:
    """Raises `ValueError`; its text does not contain the URL, which may hold a password."""
    parts = split_url(url)
    try:
        port = parts.port
        options = parse_qs(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True)
    except ValueError:
        # Its text shows what stands there, which may be a part of a password.
        raise ValueError("not an address: percent-encode special characters of the password") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("expected smtp://user:password@host:port or smtps://user:password@host:port")
    check_server(parts.netloc.rpartition("@")[2])
    starttls = options.pop("starttls", [None])[-1]
    if options or (starttls is not None and (starttls not in _STARTTLS or parts.scheme == "smtps")):
        raise ValueError("the only option is ?starttls=required, if-offered or never, and only of smtp://")
    user = unquote(parts.username) if parts.username else None
    if parts.scheme == "smtps":
        tls: Tls = "tls"
    elif starttls is not None:
        tls = _STARTTLS[starttls]
    else:
        tls = "starttls" if user else "starttls-if-offered"
    default_port = 465 if tls == "tls" else 587 if user else 25
    return SmtpServer(parts.hostname, port or default_port, user, unquote(parts.password or ""), tls)


def checked_address(text: str) -> str:
    """The address itself. Raises `ValueError`: none, or one that only SMTPUTF8 could carry."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("an address has ASCII characters only, and no spaces")
    try:
        address = Address(addr_spec=text)
    except Exception as error:  # the parser of headers fails in many ways
        raise ValueError("no e-mail address") from error
    if not address.username or not address.domain:
        raise ValueError("an e-mail address has a name and a domain")
    return text


def _addresses(value: str) -> tuple[str, ...]:
    parts = [part.strip() for part in value.split(",")]
    return tuple(dict.fromkeys(checked_address(part) for part in parts if part))


def _delays(value: str) -> tuple[RetryDelay, ...]:
    found = []
    for part in (part.strip() for part in value.split(",")):
        match = _delay.fullmatch(part)
        if match is None:
            raise ValueError("expected delays such as 10s,1m,10m")
        found.append(RetryDelay(part, int(match[1]) * _UNIT_SECONDS[match[2]]))
    if len(set(found)) != len(found):
        raise ValueError("a delay occurs twice; each delay has a topic of its own")
    return tuple(found)
