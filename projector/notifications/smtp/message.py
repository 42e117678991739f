"""A mail as bytes: one text part, ASCII on the wire in any language, the same bytes for the same event.

The Message-ID is made of event (or digest) and recipient, so every reader and archive recognises a mail that
an operator sends again as the same one. `Auto-Submitted` (RFC 3834) and an older header of Exchange stop
automatic answers.
"""

import hashlib
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from projector.notifications.ports import Mail

# RFC 5322 allows 998.
_LINE_BYTES_MAX = 900


def message_bytes(mail: Mail, sender: str) -> bytes:
    """`sender` may have a name before its address. Lines end with CR LF and are short."""
    name, address = parseaddr(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Date"] = format_datetime(mail.happened_at)
    message["Message-ID"] = message_id(mail, address)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if mail.event_count is None:
        message["X-Catalogue-Event-Id"] = str(mail.about_id)
    else:
        message["X-Catalogue-Digest-Id"] = str(mail.about_id)
        message["X-Catalogue-Event-Count"] = str(mail.event_count)
    # Never 8 bits, which not every server accepts; plain ASCII stays readable in the source.
    is_plain = mail.body.isascii() and max(map(len, mail.body.splitlines()), default=0) <= _LINE_BYTES_MAX
    message.set_content(mail.body, charset="utf-8", cte="7bit" if is_plain else "quoted-printable")
    return _subject(mail.subject) + message.as_bytes()


def _subject(subject: str) -> bytes:
    """Encoded here, because `EmailMessage` lets an encoded word in the text pass (RFC 2047).

    A product with the name `=?utf-8?q?=0D=0A...?=` would be shown with another name.
    """
    needs_encoding = not subject.isascii() or "=?" in subject
    header = Header(subject, "utf-8" if needs_encoding else "us-ascii", header_name="Subject")
    return f"Subject: {header.encode(linesep=SMTP.linesep)}{SMTP.linesep}".encode("ascii")


def message_id(mail: Mail, sender_address: str) -> str:
    """The recipient is hashed, because every answer quotes a Message-ID and must not show addresses."""
    digest = hashlib.sha256(mail.recipient.encode()).hexdigest()[:16]
    return f"<{mail.about_id}.{digest}@{sender_address.rpartition('@')[2]}>"
