"""The client accepts a version of our credit terms, by a signed link or on paper; kept for ever, once per version."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Acceptance, Client, Contact
from core.errors import Refused
from core.models import as_text
from policies.credit_terms import terms_in_force
from policies.models import CreditTerms

from .locking import lock_client

LONGEST_NAME = 150


def accept_terms(
    client: Client, terms: CreditTerms, *, contact: Contact | None, accepted_by: str, at: dt.datetime,
    way: str = "link", by: Any = "client",
) -> Acceptance:
    """Keep that a client accepted a version: who (as written), when, by which way; a second time changes nothing.

    Refused without a name, for the terms of another company, and for a contact of another client.
    """
    name = " ".join(accepted_by.split())
    if not any(char.isalnum() for char in name):  # invisible characters are no name
        raise Refused(_("Write the name of the person who accepts."), code="name", where="accepted_by")
    if len(name) > LONGEST_NAME:
        raise Refused(_("A name has %(n)d characters at most.") % {"n": LONGEST_NAME}, where="accepted_by")
    if terms.company_id != client.company_id:
        raise Refused(_("These terms are of another company."), code="foreign_terms", where="terms")
    if contact is not None and contact.client_id != client.pk:
        raise Refused(_("This person belongs to another client."), code="foreign_contact", where="contact")
    with transaction.atomic():
        lock_client(client.pk)
        acceptance, is_new = Acceptance.objects.get_or_create(
            client=client, terms=terms,
            defaults={
                "contact": contact, "accepted_by": name, "accepted_at": at, "way": way,
                "recorded_by": as_text(by)[:150],
            },
        )
        if is_new:
            record(
                by, "terms_accepted", acceptance, client_id=client.pk, summary=f"{terms}: {name}",
                diff={"way": way, "terms": terms.effective_from.isoformat()},
            )
    return acceptance


def record_acceptance_on_paper(
    client: Client, terms: CreditTerms, *, accepted_by: str, accepted_on: dt.date, on: dt.date, by: Any,
    contact: Contact | None = None,
) -> Acceptance:
    """A signed copy is there: keep who signed, on which day. Refused for a day to come, and as ``accept_terms`` is."""
    if accepted_on > on:
        raise Refused(_("Nobody has signed on a day to come; write the day on the paper."), where="accepted_on")
    noon = dt.datetime.combine(accepted_on, dt.time(12), tzinfo=client.company.zone)
    return accept_terms(
        client, terms, contact=contact, accepted_by=accepted_by, at=noon.astimezone(dt.UTC), way="paper", by=by
    )


def acceptance_of(client: Client, on: dt.date) -> Acceptance | None:
    """The client's acceptance of the version in force on a day; None where it has not accepted that one."""
    terms = terms_in_force(client.company, on)
    return Acceptance.objects.filter(client=client, terms=terms).select_related("terms").first() if terms else None
