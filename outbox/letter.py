"""A mail as bytes: headers, text, html, attachments. Pure: no Django, no clock, no network.

Addresses are held to less than the mail standards allow (no quoting, no address literals, no lists), so that what
we hand to a server is exactly one addressee in exactly the field we meant.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import parseaddr
from functools import cache

from core.errors import Refused

from .kinds import Composed

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?![0-9]+$){_LABEL}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_A_FILE_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\"]')
_READ_DIFFERENTLY_BY_OLD_AND_NEW_NAMES = "ßς\u200c\u200d"


class _OneLinePolicy(EmailPolicy):
    """Plain headers are not folded: Python drops the quotes of a long name where it breaks the line."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if str(value).isascii():
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


class _Headers(HeaderRegistry):
    """Python makes a class anew for every header it writes; those of one name are alike."""

    def __getitem__(self, name: str) -> type[BaseHeader]:
        return _kind_of_header(name.lower())


_kind_of_header = cache(HeaderRegistry().__getitem__)
_POLICY = _OneLinePolicy(linesep="\r\n", cte_type="7bit", header_factory=_Headers())


@dataclass(frozen=True)
class Letter:
    """A mail ready to hand over: from one address to one, or to one and a copy; ``recipients[0]`` is the addressee.

    ``content`` are its bytes; ``parts`` and ``own`` are what they were written from, for a provider that writes them
    itself, and ``key`` is ours, to be told again by what becomes of it.
    """

    message_id: str
    at: dt.datetime
    sender: str
    recipients: list[str]
    content: bytes
    parts: Composed | None = None
    own: Address | None = None
    key: str = ""


def message_id_of(key: str, domain: str) -> str:
    """The Message-ID that belongs to a key, whatever machine sends it and however often.

    >>> message_id_of("invoice:7:send:1", "firm.test")
    '<ar-2a93259ae3134cb8a913a7e01fdd2287@firm.test>'
    """
    return f"<ar-{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def mailbox(name: str, addr: str) -> Address:
    """One person's mail address with a name; Refused for anything that is not exactly one plain address.

    >>> str(mailbox('Acme, "Inc"', "ada@firm.test"))
    '"Acme, \\\\"Inc\\\\"" <ada@firm.test>'
    >>> mailbox("", "a@[127.0.0.1]")
    Traceback (most recent call last):
    core.errors.Refused: “a@[127.0.0.1]” is not one mail address; write it as name@firm.example.
    """
    local, at, domain = addr.rpartition("@")
    domain = _ascii_domain(domain)
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or len(local) > 64:
        raise _not_an_address(addr)
    if len(local) + 1 + len(domain) > 254:
        raise _not_an_address(addr)
    return Address(_name(name), username=local, domain=domain)


def sender(mail_from: str, name: str = "") -> Address:
    """Our own address, MAIL_FROM, under the name given or else the one that stands in it; may be one at localhost.

    >>> str(sender("AR <ar@firm.test>")), str(sender("ar@localhost", "Lumen & Oak"))
    ('AR <ar@firm.test>', 'Lumen & Oak <ar@localhost>')
    """
    own_name, addr = parseaddr(mail_from)
    if addr.endswith("@localhost"):
        return Address(_name(name or own_name), addr_spec=addr)
    return mailbox(name or own_name, addr)


def letter(composed: Composed, *, mail_from: str, message_id: str, at: dt.datetime, key: str = "") -> Letter:
    """The mail as the bytes to hand over.

    Refused where an address, a name or the subject cannot stand in a header. A machine wrote it and says so
    (RFC 3834), so that out-of-office answers stay away.
    """
    own = sender(mail_from, composed.from_name)
    to = mailbox(composed.to_name, composed.to_addr)
    copies = [mailbox("", address) for address in composed.copies]
    if _CONTROL.search(composed.subject):
        raise Refused("The subject has a line break or control character in it.", code="mail_subject", where="subject")
    if max(len(composed.to_name), len(composed.from_name)) > 200 or len(composed.subject) > 300:
        raise Refused("The name is longer than 200 or the subject than 300 characters; shorten it.", code="mail_length")
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = own
    mail["To"] = to
    if copies:
        mail["Cc"] = copies
    if composed.reply_to:
        mail["Reply-To"] = mailbox(composed.from_name, composed.reply_to)
    mail["Subject"] = composed.subject
    mail["Date"] = at
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    try:
        _write_body(mail, composed)
        content = mail.as_bytes()
    except UnicodeError:
        raise Refused("The mail has characters in it that cannot be sent.", code="mail_text", where="text") from None
    recipients = [address.addr_spec for address in (to, *copies)]
    return Letter(message_id, at, own.addr_spec, recipients, content, composed, own, key)


def _write_body(mail: EmailMessage, composed: Composed) -> None:
    mail.set_content(composed.text, cte="quoted-printable")
    if composed.html:
        mail.add_alternative(composed.html, subtype="html", cte="quoted-printable")
    for name, media_type, content in composed.attachments:
        main, _, sub = media_type.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=file_name(name))


def file_name(name: str) -> str:
    """The name of an attachment as it can stand in a header, and as a file anywhere.

    >>> file_name('a/b"c.pdf')
    'a_b_c.pdf'
    """
    return _NOT_IN_A_FILE_NAME.sub("_", name)


def _name(name: str) -> str:
    """A name on one line, with nothing in it that a mail program would decode."""
    if _CONTROL.search(name):
        raise Refused(
            f"The name {name!r} has a line break or control character in it; remove it from the contact.",
            code="mail_name",
            where="name",
        )
    return " ".join(name.replace("=?", "= ?").split())


def _ascii_domain(domain: str) -> str:
    """An international domain in the form that travels; empty where it has none or two readings of it differ."""
    if domain.isascii():
        return domain
    if any(letter in domain for letter in _READ_DIFFERENTLY_BY_OLD_AND_NEW_NAMES):
        return ""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _not_an_address(addr: str) -> Refused:
    return Refused(
        f"“{addr}” is not one mail address; write it as name@firm.example.", code="mail_address", where="email"
    )
