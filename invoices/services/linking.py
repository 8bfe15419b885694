"""Signed links: the private address under which a client sees one invoice without an account.

Nothing secret is stored: the token is an HMAC of the link's row under LINK_KEY, so a leaked database opens nothing.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.urls import reverse

from audit.services import record
from clients.models import Client, Contact
from core.errors import Refused
from core.models import as_text
from invoices.models import RECEIVABLE, Entry, Invoice, LinkView, ProForma, ShareLink
from policies.models import CreditTerms

AFTER_DUE = dt.timedelta(days=60)
AFTER_MAIL = dt.timedelta(days=60)
LONGEST = dt.timedelta(days=365)
AFTER_PAYMENT = dt.timedelta(days=90)
ONE_VISIT = dt.timedelta(minutes=30)

_looking: ContextVar[bool] = ContextVar("looking", default=False)


def link_for(invoice: Invoice, contact: Contact | None, now: dt.datetime) -> ShareLink:
    """The one live link of a contact to an invoice, renewed: good for 60 days after the due date and after this mail.

    No token lives longer than 365 days: an older link gives way to a new one.
    """
    about = {"kind": "invoice", "client": invoice.client, "invoice": invoice, "contact": contact, "passed_on_to": ""}
    return _the_one(about, _after_due(invoice, now), now)


def link_passed_on(invoice: Invoice, address: str, now: dt.datetime) -> ShareLink:
    """The one live link of a colleague's address to an invoice the client forwarded; good as long as the client's."""
    about = {"kind": "invoice", "client": invoice.client, "invoice": invoice, "contact": None, "passed_on_to": address}
    return _the_one(about, _after_due(invoice, now), now)


def link_for_statement(client: Client, contact: Contact | None, now: dt.datetime) -> ShareLink:
    """The one live link of a contact to all that is open, good for 60 days; it shows nothing before a mailed code."""
    return _the_one({"kind": "statement", "client": client, "contact": contact}, now + AFTER_MAIL, now)


def link_for_wishes(client: Client, contact: Contact | None, now: dt.datetime) -> ShareLink:
    """The one live link of a contact to «What would help your team pay faster?», good for 60 days."""
    return _the_one({"kind": "wishes", "client": client, "contact": contact}, now + AFTER_MAIL, now)


def _after_due(invoice: Invoice, now: dt.datetime) -> dt.datetime:
    return max(_end_of(invoice.due_on or now.date()) + AFTER_DUE, now + AFTER_MAIL)


def link_for_terms(client: Client, terms: CreditTerms, contact: Contact, now: dt.datetime) -> ShareLink:
    """The one live link of a contact to a version of the credit terms, to be read and accepted within 60 days."""
    return _the_one({"kind": "terms", "client": client, "terms": terms, "contact": contact}, now + AFTER_MAIL, now)


def link_for_pro_forma(pro_forma: ProForma, contact: Contact | None, now: dt.datetime) -> ShareLink:
    """The one live link of a contact to the pro forma of a draft: good for 60 days after its last day and this mail."""
    wanted = max(_end_of(pro_forma.pay_by) + AFTER_DUE, now + AFTER_MAIL)
    with transaction.atomic():
        draft = Invoice.objects.select_for_update(of=("self",)).select_related("client").get(pro_formas=pro_forma)
        about = {"kind": "pro_forma", "client": draft.client, "invoice": draft, "contact": contact}
        return _renewed(about, wanted, now)


def _the_one(about: dict[str, Any], wanted: dt.datetime, now: dt.datetime) -> ShareLink:
    for _attempt in range(2):
        try:
            with transaction.atomic():
                return _renewed(about, wanted, now)
        except IntegrityError:  # somebody made the same link at this moment: take theirs
            continue
    raise RuntimeError(f"No link could be made for {about}.")


def hand_out_link(invoice: Invoice, contact: Contact | None, *, by: Any, at: dt.datetime) -> ShareLink:
    """Make or renew a link so that a person passes it on; from then on the invoice counts as seen outside.

    Refused for a draft and a void invoice: they have no page.
    """
    if invoice.issued_at is None or invoice.voided_at is not None:
        raise Refused("Only an issued invoice has a page of its own; issue it first.", code="no_page")
    with transaction.atomic():
        link = link_for(invoice, contact, at)
        link.handed_out_by = as_text(by)[:150]
        link.save(update_fields=["handed_out_by"])
        record(by, "link_handed_out", link, client_id=link.client_id, doc=f"invoice:{invoice.pk}")
    return link


@contextmanager
def only_looking() -> Iterator[None]:
    """While a message is written to be looked at: no link is made, renewed or shut, and its address opens nothing."""
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)


def _renewed(about: dict[str, Any], wanted: dt.datetime, now: dt.datetime) -> ShareLink:
    if _looking.get():
        return ShareLink(**about, expires_at=wanted)
    live = ShareLink.objects.select_for_update().filter(**about, revoked_at=None)
    link = live.order_by("pk").first()
    if link is not None and link.created_at + LONGEST < now + AFTER_MAIL:
        link.revoked_at = now
        link.save(update_fields=["revoked_at"])
        link = None
    if link is None:
        link = ShareLink(**about, expires_at=wanted)
    link.expires_at = min(max(link.expires_at, wanted), max(link.created_at or now, now) + LONGEST)
    link.save()
    return link


def token_of(link: ShareLink) -> str:
    """The 43 characters that open a link: HMAC-SHA256 of its kind, number and version under the key in force."""
    return _token(settings.LINK_KEY, link.kind, link.pk, link.version)


def is_first_token(token: str, link_id: int) -> bool:
    """Whether a token of ours is that of the first version of a link, as nearly all are; nobody has to be asked."""
    return any(_token(settings.LINK_KEY, kind, link_id, 1) == token for kind, _name in ShareLink.KINDS)


def url_of(link: ShareLink) -> str:
    """The address to put into a mail; its host comes from PUBLIC_URL alone, never from a request."""
    if link.pk is None:  # only looked at
        return settings.PUBLIC_URL + reverse(f"portal:{link.kind}", args=[0, "x"]).replace("0/x", "…")
    return settings.PUBLIC_URL + reverse(f"portal:{link.kind}", args=[link.pk, token_of(link)])


def begins_with(link: ShareLink) -> str:
    """How the address of a link begins, up to its token: whatever mail shows it has this in its text."""
    return settings.PUBLIC_URL + reverse(f"portal:{link.kind}", args=[link.pk, "x"]).removesuffix("x/")


def find(kind: str, link_id: int, token: str, now: dt.datetime) -> ShareLink | None:
    """The live link of that number and token, or nothing: unknown, wrong, revoked, replaced and expired are alike.

    So is the link of a person who no longer acts for the client: whoever holds it does not answer in its name.
    An unknown number costs the same comparisons as a known one, so that the time taken tells nothing.
    """
    link = _row(kind, link_id)
    genuine = _matches(token, kind, link_id, link.version if link else 1)
    return link if link is not None and genuine and is_live(link, now) else None


def is_live(link: ShareLink, now: dt.datetime) -> bool:
    """Whether a link opens: neither shut nor expired, and not of a person who no longer acts for the client."""
    if link.revoked_at is not None or (link.contact is not None and not link.contact.is_active):
        return False
    return _is_open(link, now)


def was_ours(kind: str, link_id: int, token: str) -> ShareLink | None:
    """The link to which this token belongs now or once belonged: expired, revoked or replaced, but never guessed."""
    link = _row(kind, link_id)
    genuine = False
    for version in range(1, (link.version if link else 1) + 1):
        genuine |= _matches(token, kind, link_id, version)
    return link if genuine else None


def is_view_only(link: ShareLink) -> bool:
    """A settled or void invoice can be looked at and downloaded; there is nothing left to answer."""
    invoice = link.invoice
    return invoice is not None and (invoice.voided_at is not None or invoice.balance == 0)


def record_view(link: ShareLink, at: dt.datetime) -> LinkView | None:
    """The client's browser showed the page; reloading it within half an hour is the same visit."""
    with transaction.atomic():
        seen = ShareLink.objects.filter(pk=link.pk).filter(
            Q(last_seen_at=None) | Q(last_seen_at__lte=at - ONE_VISIT)
        )
        return LinkView.objects.create(link=link, seen_at=at) if seen.update(last_seen_at=at) else None


def revoke_link(link: ShareLink, *, by: Any, at: dt.datetime) -> None:
    """Shut a link at once and for good; revoking it again changes nothing."""
    with transaction.atomic():
        if ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=at):
            link.revoked_at = at
            record(by, "link_revoked", link, client_id=link.client_id)


def rotate_link(link: ShareLink, *, by: Any, at: dt.datetime) -> ShareLink:
    """Give a link a new token, good for 60 days at least; the old one stops at once. A revoked link stays shut."""
    with transaction.atomic():
        row = ShareLink.objects.select_for_update().get(pk=link.pk)
        row.version += 1
        row.expires_at = max(row.expires_at, at + AFTER_MAIL)
        row.save(update_fields=["version", "expires_at"])
        record(by, "link_rotated", row, client_id=row.client_id)
    link.version, link.expires_at = row.version, row.expires_at
    return row


def _row(kind: str, link_id: int) -> ShareLink | None:
    return ShareLink.objects.select_related("client__company", "invoice", "terms", "contact").filter(
        pk=link_id, kind=kind
    ).first()


def _is_open(link: ShareLink, now: dt.datetime) -> bool:
    """Before it expires, and for 90 days after the invoice was paid. A draft is shown as a pro forma only."""
    invoice = link.invoice
    if invoice is None or link.kind != "invoice":
        return now < link.expires_at
    if invoice.issued_at is None:
        return False
    if invoice.balance == 0 and invoice.voided_at is None:
        paid_at = Entry.objects.filter(invoice=invoice, cr=RECEIVABLE).aggregate(at=Max("posted_at"))["at"]
        return now < max((paid_at or invoice.issued_at) + AFTER_PAYMENT, link.expires_at)
    return now < link.expires_at


def _token(key: str, kind: str, link_id: int, version: int) -> str:
    signed = hmac.new(key.encode(), f"ar.link.v1:{kind}:{link_id}:{version}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _matches(token: str, kind: str, link_id: int, version: int) -> bool:
    """Compared in constant time with the token under every key still honoured."""
    equal = False
    for key in (settings.LINK_KEY, *settings.LINK_KEY_FALLBACKS):
        equal |= hmac.compare_digest(token.encode(), _token(key, kind, link_id, version).encode())
    return equal


def _end_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
