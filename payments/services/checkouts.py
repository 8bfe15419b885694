"""A client pays through a provider: which claims, how much, begun there; what is on its way."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client
from clients.services import lock_client
from core.errors import Refused
from core.models import PaymentMethod
from core.money import is_exact, plain, show
from invoices.models import Charge, Invoice, ShareLink
from invoices.paying import card_for
from invoices.services.linking import url_of

from ..models import Checkout
from ..providers import Begin, Declined, Unreachable, provider_of


class BegunCheckout(NamedTuple):
    """A payment begun, and the address of the provider's page at which the client goes on."""

    checkout: Checkout
    url: str


def start_checkout(
    link: ShareLink, claims: Mapping[str, Decimal], method: PaymentMethod | None = None, *, at: dt.datetime,
    on: dt.date, key: str = "",
) -> BegunCheckout:
    """Begin to pay claims of the client by card or wallet; ``claims`` are amounts by key, such as "invoice:12".

    ``key`` is the form's own: the same form sent twice begins one payment, and none of another sum. Nothing is owed
    less by that; money counts when the provider says so. Refused: nothing to pay, what is not this client's or not open
    for that much, several currencies, a payment of it already on its way, a sum that no card takes, and while the
    provider cannot be reached.
    """
    with transaction.atomic():
        lock_client(link.client_id)
        key = _key(link, key)
        standing = Checkout.objects.filter(key=key).first()
        if standing is not None and (standing.link_id, standing.state, split_of(standing)) != (
            link.pk, "started", dict(claims)
        ):
            raise Refused(_("This form was sent before; load the page again."), code="sent_before")
        found = _payable(link.client, claims)
        checkout = standing or _new(link, claims, found, method, key, at, on)
    provider = provider_of(checkout.provider)
    try:
        begun = provider.start(_begin(checkout, link))
    except (Declined, Unreachable) as why:
        _give_up(checkout, str(why), at)
        raise Refused(
            _("Paying by card does not work at the moment. Please try again later, or pay another way."),
            code="unreachable",
        ) from why
    Checkout.objects.filter(pk=checkout.pk).update(provider_ref=begun.ref)
    checkout.provider_ref = begun.ref
    return BegunCheckout(checkout, begun.url)


def in_flight(invoice: Invoice) -> Checkout | None:
    """The payment of an invoice that is on its way: the client has paid, and the money has not arrived yet."""
    found = Checkout.objects.in_flight().filter(client=invoice.client_id)
    return next((checkout for checkout in found if f"invoice:{invoice.pk}" in checkout.split), None)


def in_flight_words(checkout: Checkout, language: str) -> str:
    """What the client reads while a payment is on its way."""
    return _("%(amount)s is on its way to us. We send no reminders until it has arrived.") % {
        "amount": show(checkout.amount, checkout.currency, language)
    }


def back_to(checkout: Checkout) -> str:
    """The address a client comes back to from the provider's page."""
    return settings.PUBLIC_URL + reverse("portal:checkout", args=[checkout.key])


def _key(link: ShareLink, form: str) -> str:
    """The key of a checkout stands in addresses: nobody can guess it, also where a form's key could be."""
    return hashlib.sha256(f"{link.pk}:{form or secrets.token_urlsafe(24)}".encode()).hexdigest()[:40]


def _payable(client: Client, claims: Mapping[str, Decimal]) -> list[Invoice | Charge]:
    """The claims of a client that are to be paid at once: each open for so much, and nothing of it on its way."""
    found = [_open_claim(client, claim, amount) for claim, amount in claims.items()]
    if not found:
        raise Refused(_("There is nothing to pay."), code="nothing")
    if len({claim.currency for claim in found}) > 1:
        raise Refused(_("Pay one currency at a time."), code="currency")
    underway = [c for c in Checkout.objects.in_flight().filter(client=client) if set(c.split) & set(claims)]
    if underway:
        raise Refused(in_flight_words(underway[0], client.language), code="in_flight")
    return found


def _new(
    link: ShareLink, claims: Mapping[str, Decimal], found: Sequence[Invoice | Charge], method: PaymentMethod | None,
    key: str, at: dt.datetime, on: dt.date,
) -> Checkout:
    client, currency, total = link.client, found[0].currency, sum(claims.values(), Decimal(0))
    invoices = [claim.invoice if isinstance(claim, Charge) else claim for claim in found]
    card = card_for(client, currency, total, invoices)
    if card is None or (method is not None and method.pk != card.pk):
        raise Refused(
            _("%(amount)s cannot be paid by card; please choose another way.") % {
                "amount": show(total, currency, client.language)
            },
            code="not_offered",
        )
    return Checkout.objects.create(
        company=client.company, client=client, provider=card.provider, key=key, amount=total, currency=currency,
        split={claim: plain(amount, currency) for claim, amount in claims.items()}, link=link, started_at=at,
        started_on=on, changed_at=at,
    )


def _open_claim(client: Client, key: str, amount: Decimal) -> Invoice | Charge:
    kind, _colon, pk = key.partition(":")
    claim: Invoice | Charge | None = None
    if pk.isdecimal():
        if kind == "invoice":
            claim = Invoice.objects.open().filter(client=client, pk=pk).first()
        elif kind == "charge":
            claim = Charge.objects.open().filter(client=client, pk=pk).select_related("invoice").first()
    if claim is None:
        raise Refused(_("This is paid already, or no longer owed; load the page again."), code="not_open", where=key)
    if amount <= 0 or not is_exact(amount, claim.currency) or amount > claim.balance:
        raise Refused(
            _("At most %(amount)s can be paid here.") % {
                "amount": show(claim.balance, claim.currency, client.language)
            },
            code="amount", where=key,
        )
    return claim


def _begin(checkout: Checkout, link: ShareLink) -> Begin:
    named = [pk for kind, _colon, pk in (key.partition(":") for key in checkout.split) if kind == "invoice"]
    numbers = Invoice.objects.filter(pk__in=named).order_by("due_on", "pk").values_list("number", flat=True)
    contact = link.contact
    return Begin(
        key=checkout.key, amount=checkout.amount, currency=checkout.currency, company=checkout.company.code,
        what_for=f"{checkout.company.name}: {', '.join(str(n) for n in numbers)}",
        language=contact.speaks() if contact else link.client.language, email=contact.email if contact else "",
        back_to=back_to(checkout), page=url_of(link),
    )


def _give_up(checkout: Checkout, why: str, at: dt.datetime) -> None:
    Checkout.objects.filter(pk=checkout.pk, state="started").update(
        state="failed", failed_because=why[:300], changed_at=at
    )


def split_of(checkout: Checkout) -> dict[str, Decimal]:
    """The amounts of a checkout by claim key."""
    return {key: Decimal(amount) for key, amount in checkout.split.items()}


def changed(checkout: Checkout, at: dt.datetime, **facts: Any) -> None:
    """Keep how far a checkout came."""
    facts["changed_at"] = at
    for name, value in facts.items():
        setattr(checkout, name, value)
    checkout.save(update_fields=list(facts))
