"""Private links on their way: to a colleague the client names, a code or a fresh link to the address on file."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Client, Contact
from clients.services import lock_client
from core.errors import Refused
from invoices.documents import recipient
from invoices.models import ShareLink
from outbox.models import Message
from outbox.services import enqueue

from .codes import make_code
from .linking import link_passed_on
from .sending import STILL_HERE, check_reader

COLLEAGUES_A_DAY = 5  # new addresses per client: what a client's page may send into the world
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def pass_on(link: ShareLink, address: str, *, on: dt.date, at: dt.datetime, by: Any = "client") -> Message:
    """Mail the invoice of a link to a colleague: a link of its own, bound to that address, without any document.

    The same address again on one day changes nothing. Refused for what is no single e-mail address, on a link that
    was itself passed on, for a void invoice, and for more than five new addresses of a client within a day.
    """
    invoice = link.invoice
    if invoice is None or link.kind != "invoice" or link.passed_on_to:
        raise Refused(_("This page cannot be passed on; ask whoever sent it to you."), code="not_here")
    if invoice.issued_at is None or invoice.voided_at is not None:
        raise Refused(_("This invoice was cancelled; there is nothing to pass on."), code="void")
    to = _checked(address)
    with transaction.atomic():
        lock_client(link.client_id)
        known = ShareLink.objects.filter(client=link.client, kind="invoice").exclude(passed_on_to="")
        lately = known.filter(created_at__gt=at - dt.timedelta(days=1))
        addresses = set(lately.values_list("passed_on_to", flat=True))
        if to not in addresses and len(addresses) >= COLLEAGUES_A_DAY:
            raise Refused(
                _("That was passed on to %(n)d addresses today; more are possible tomorrow.")
                % {"n": COLLEAGUES_A_DAY},
                code="too_many_colleagues", where="address",
            )
        theirs = link_passed_on(invoice, to, at)
        language = link.contact.speaks() if link.contact else link.client.language
        message = enqueue(
            f"passed_on:{theirs.pk}:{on.isoformat()}", "passed_on", f"client:{link.client_id}", on,
            {"link": theirs.pk, "from": link.contact.name if link.contact else "", "language": language}, at,
        )
        record(by, "link_passed_on", theirs, client_id=link.client_id, doc=f"invoice:{invoice.pk}", summary=to)
    return message


def send_code(link: ShareLink, *, on: dt.date, at: dt.datetime) -> None:
    """Mail a code for the statement to the address on file, at most once a minute; whoever asks is told the same."""
    with transaction.atomic():
        code = make_code(link, at)
        contact = reader_of(link)
        if code is not None and contact is not None:
            enqueue(
                f"link_code:{code.pk}", "link_code", f"client:{link.client_id}", on,
                {"code": code.pk, "contact": contact.pk}, at,
            )


def send_page_link(
    client: Client, page: str, contact: Contact, *, on: dt.date, by: Any, not_before: dt.datetime, key: str
) -> Message:
    """Mail a contact the link to a page of theirs, «statement» or «wishes»; the same ``key`` again sends nothing.

    While one for the same page and person waits, that one is the answer. Refused for whom mail does not reach.
    """
    with transaction.atomic():
        lock_client(client.pk)
        check_reader(client, contact)
        party, subject = f"client:{client.pk}", {"page": page, "contact": contact.pk}
        for waiting in Message.objects.filter(kind="page_link", party=party, state__in=STILL_HERE).order_by("pk"):
            if waiting.payload == subject:
                return waiting
        key = f"page_link:{page}:{client.pk}:{key}"
        if sent := Message.objects.filter(key=key).first():
            return sent
        message = enqueue(key, "page_link", party, on, subject, not_before)
        record(by, "page_link_sending", client, client_id=client.pk, summary=f"{page} to {contact.name}")
    return message


def send_new_page_link(link: ShareLink, *, on: dt.date, at: dt.datetime) -> Message | None:
    """A fresh link to the statement or the wishes for whoever asked on an old one, to the address on file, once a day.

    Nothing where nobody can be written to; whoever asked is told the same words.
    """
    contact = reader_of(link)
    if contact is None:
        return None
    subject = {"page": link.kind, "contact": contact.pk, "asked": True}
    return enqueue(
        f"page_link:{link.kind}:again:{link.pk}:{on.isoformat()}", "page_link", f"client:{link.client_id}", on,
        subject, at,
    )


def reader_of(link: ShareLink) -> Contact | None:
    """Whom mail about a link goes to: the person it belongs to, else whoever receives the client's invoices."""
    return link.client.contacts.reachable().filter(pk=link.contact_id or 0).first() or recipient(link.client)


def _checked(address: str) -> str:
    """One plain address, in small letters; nothing that a mail could read as two, or as a header."""
    to = address.strip().lower()
    try:
        validate_email(to)
    except ValidationError:
        to = ""
    if not _PLAIN_ADDRESS.fullmatch(to):
        raise Refused(
            _("Write one e-mail address, such as name@example.com."), code="address", where="address"
        )
    return to
