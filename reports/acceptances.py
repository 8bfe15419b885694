"""Who has not accepted our credit terms yet: since when they have them, whether they opened them, whom to ask."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import CharField, Exists, Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from ar_collections.services.terms_sending import KIND, without_acceptance
from clients.models import Acceptance, Client, Contact
from core.models import Company
from invoices.models import ShareLink
from outbox.models import Message
from policies.credit_terms import latest_terms
from policies.models import CreditTerms


def clients_without_acceptance(
    company: Company, on: dt.date, terms: CreditTerms | None = None
) -> QuerySet[Any]:
    """Clients that have not accepted a version, the latest published unless another is given; by name.

    Beside each: ``sent_on`` (the last day up to ``on`` on which it was mailed to them, or is to be), ``seen_at``
    (when they last opened it), ``accepted_earlier`` (from when the latest version begins that they did accept) and
    ``can_be_written_to``. Nobody where nothing is published. One query, which a page may slice and count.
    """
    terms = terms or latest_terms(company)
    if terms is None:
        return Client.objects.none()
    party = Concat(Value("client:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    mails = Message.objects.filter(kind=KIND, party=party, payload__terms=terms.pk, on__lte=on)
    mails = mails.exclude(state__in=["cancelled", "failed"]).order_by("-on")
    seen = ShareLink.objects.filter(kind="terms", client=OuterRef("pk"), terms=terms).order_by().values("client")
    earlier = Acceptance.objects.filter(client=OuterRef("pk")).order_by("-terms__effective_from")
    return without_acceptance(company, terms).annotate(
        sent_on=Subquery(mails.values("on")[:1]),
        seen_at=Subquery(seen.annotate(latest=Max("last_seen_at")).values("latest")),
        accepted_earlier=Subquery(earlier.values("terms__effective_from")[:1]),
        can_be_written_to=Exists(Contact.objects.reachable().filter(client=OuterRef("pk"))),
    )
