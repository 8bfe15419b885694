"""Sending our credit terms: a mail with a private page on which the client reads and accepts them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Acceptance, Client, Contact
from clients.services import lock_client
from core.errors import Refused
from core.models import Company
from invoices.models import ShareLink
from invoices.services.sending import STILL_HERE, UNDO, check_reader
from outbox.models import Message
from outbox.services import enqueue
from policies.credit_terms import latest_terms, terms_in_force
from policies.models import CreditTerms

KIND = "credit_terms"
WHO_ACCEPTS = ("owner", "approver", "accounts_payable", "escalation")


@dataclass
class Sent:
    """What a mailing of the terms did: the messages, and whom it left out with the reason."""

    messages: list[Message] = field(default_factory=list)
    left_out: list[tuple[Client, str]] = field(default_factory=list)


def signatory(client: Client) -> Contact | None:
    """Who is asked to accept terms: the owner, else the approver, else accounts payable; None if nobody is reached."""
    reachable = list(client.contacts.reachable())
    return min(reachable, key=lambda contact: (WHO_ACCEPTS.index(contact.role), contact.pk), default=None)


def send_terms(
    client: Client, *, terms: CreditTerms | None = None, contact: Contact | None = None, on: dt.date, by: Any,
    not_before: dt.datetime | None = None,
) -> Message:
    """Mail a version of the terms, the latest published unless another is given, to be read and accepted.

    Each call is a message of its own, except while one to the same person still waits: then that one is the answer.
    It leaves ten seconds later, so that it can be taken back. Refused where nothing is published, where the client
    has accepted this version, where a later one has taken its place, and where nobody can be written to.
    """
    terms = terms or latest_terms(client.company)
    to = contact or signatory(client)
    with transaction.atomic():
        lock_client(client.pk)
        _check(client, terms, on)
        check_reader(client, to)
        assert terms is not None and to is not None
        earlier = Message.objects.filter(key__startswith=_stem(terms, client)).order_by("pk")
        for waiting in earlier.filter(state__in=STILL_HERE):
            if waiting.payload.get("contact") == to.pk:
                return waiting
        message = enqueue(
            f"{_stem(terms, client)}{earlier.exclude(key__contains=':r').count() + 1}", KIND, f"client:{client.pk}", on,
            {"terms": terms.pk, "client": client.pk, "contact": to.pk}, not_before or timezone.now() + UNDO,
        )
        record(by, "terms_sending", terms, client_id=client.pk, summary=f"{terms} to {to.name}")
    return message


def send_terms_to_all(
    company: Company, *, terms: CreditTerms | None = None, on: dt.date, by: Any, not_before: dt.datetime | None = None
) -> Sent:
    """Mail a version to every client that has neither accepted it nor been sent it; again, only to whom it is new.

    Whoever cannot be written to is left out and named, with the reason. Refused where nothing is published.
    """
    terms = terms or latest_terms(company)
    if terms is None:
        raise _nothing_published()
    done = Sent()
    for client in not_yet_told(company, terms).select_related("company"):
        try:
            done.messages.append(send_terms(client, terms=terms, on=on, by=by, not_before=not_before))
        except Refused as refused:
            done.left_out.append((client, refused.message))
    return done


def not_yet_told(company: Company, terms: CreditTerms) -> QuerySet[Client]:
    """Clients that have not accepted a version, and to whom no mail with it is waiting, has left or may have left."""
    party = Concat(Value("client:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    told = Message.objects.filter(kind=KIND, party=party, payload__terms=terms.pk)
    told = told.exclude(state__in=["cancelled", "failed"])
    return without_acceptance(company, terms).filter(~Exists(told))


def without_acceptance(company: Company, terms: CreditTerms) -> QuerySet[Client]:
    """Clients of the company that have not accepted a version."""
    accepted = Acceptance.objects.filter(client=OuterRef("pk"), terms=terms)
    return Client.objects.filter(Q(company=company), ~Exists(accepted))


def send_new_terms_link(link: ShareLink, *, on: dt.date) -> Message | None:
    """Mail a fresh link, to the version that counts now, to the address on file; once a day, whoever asks how often.

    Nothing where nobody can be written to or all is accepted: whoever asked is told the same words.
    """
    client = link.client
    terms = latest_terms(client.company)
    to = client.contacts.reachable().filter(pk=link.contact_id or 0).first() or signatory(client)
    if terms is None or to is None:
        return None
    return enqueue(
        f"new_terms_link:{link.pk}:{on.isoformat()}", KIND, f"client:{client.pk}", on,
        {"terms": terms.pk, "client": client.pk, "contact": to.pk, "asked": True}, timezone.now(),
    )


def replaced_by(terms: CreditTerms, on: dt.date) -> CreditTerms | None:
    """The later version that is in force on a day in place of this one, if there is one."""
    now = terms_in_force(terms.company, on)
    return now if now is not None and now.effective_from > terms.effective_from else None


def _check(client: Client, terms: CreditTerms | None, on: dt.date) -> None:
    if terms is None:
        raise _nothing_published()
    if terms.company_id != client.company_id:
        raise Refused(_("These terms are of another company."), code="foreign_terms", where="terms")
    if replaced_by(terms, on):
        raise Refused(_("A later version has taken the place of these terms; send that one."), code="replaced")
    if Acceptance.objects.filter(client=client, terms=terms).exists():
        raise Refused(_("%(client)s has accepted these terms already.") % {"client": client}, code="accepted")


def _nothing_published() -> Refused:
    return Refused(
        _("No credit terms are published yet; an administrator publishes them in the settings."), code="no_terms"
    )


def _stem(terms: CreditTerms, client: Client) -> str:
    return f"terms:{terms.pk}:{client.pk}:send:"
