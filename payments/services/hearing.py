"""What a provider says is heard once, in whatever order it comes: money arrives, fails, is given back, is paid out.

Every word is kept with what followed from it; what cannot be matched waits on a list for a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clients.services import lock_client
from core.errors import Refused
from core.models import Company, as_text
from core.money import plain
from core.services import today
from invoices.models import clearing

from ..models import Checkout, Payment, ProviderEvent, Refund
from ..providers import Declined, Heard, PayoutLine, Provider, Unreachable, provider_of, providers
from .allocating import open_claims
from .chargebacks import lose_to_chargeback, win_back
from .checkouts import changed, split_of
from .payouts import post_payout
from .recording import record_payment
from .refunds import ask_provider, given_back_at_provider, refund_failed

SILENT = dt.timedelta(minutes=20)  # so long a provider usually needs to say how a payment ended
KEEP_TRYING = dt.timedelta(days=3)
KEEP_ASKING = dt.timedelta(days=30)

# How far a checkout came. What is heard late or twice never takes one back, so that the order does not matter.
RANK = {"started": 0, "abandoned": 1, "pending": 2, "failed": 3, "succeeded": 4}


class NeedsPerson(Exception):
    """Nothing follows by itself; ``str()`` says why, to the person who looks at it."""


def receive(provider: Provider, body: bytes, headers: Mapping[str, str], *, at: dt.datetime) -> ProviderEvent:
    """Hear a call once it is proven to come from the provider; what a payout is made of is asked for first.

    NotGenuine where it is not, ValueError where it cannot be read, Unreachable where the provider has to be asked and
    does not answer: then nothing is kept, and it calls again.
    """
    heard = provider.verify_webhook(body, headers, at)
    if heard.kind == "payout" and not heard.lines and heard.account == provider.account:
        with suppress(Declined):
            heard = replace(heard, lines=provider.payout(heard.about))
    return hear(provider, heard, at=at)


def look_up(checkout: Checkout, *, at: dt.datetime) -> Checkout:
    """Ask the provider how far a payment came, for whatever it said that did not arrive. Unreachable, Declined."""
    provider = provider_of(checkout.provider)
    heard = provider.fetch(checkout.provider_ref, at)
    if heard is not None:
        hear(provider, heard, at=at)
        checkout.refresh_from_db()
    return checkout


def hear(provider: Provider, heard: Heard, *, at: dt.datetime) -> ProviderEvent:
    """Keep a word of a provider and do what follows from it, once for ever, in one transaction.

    What does not fit (sum, currency, account, a payment nobody began here) moves no money and waits for a person.
    Business dates are those of the company, never after the instant ``at`` at which it is heard.
    """
    with transaction.atomic():
        checkout = _checkout_of(provider.name, heard)
        payment = _payment_of(provider.name, heard, checkout)
        client = checkout.client_id if checkout else payment.client_id if payment else None
        if client is not None:
            lock_client(client)
        event, made = ProviderEvent.objects.get_or_create(
            provider=provider.name, event_id=heard.event_id[:120],
            defaults={
                "kind": heard.kind, "happened_at": heard.happened_at, "facts": _facts(heard),
                "checkout": checkout or _begun(payment), "received_at": at,
            },
        )
        if made:
            _act_on(event, provider, heard, at)
    return event


def hear_again(event: ProviderEvent, provider: Provider, *, at: dt.datetime, by: Any) -> ProviderEvent:
    """Try once more what could not be done when it was heard; twice changes nothing."""
    heard = heard_of(event)
    with transaction.atomic():
        checkout = _checkout_of(provider.name, heard)
        payment = _payment_of(provider.name, heard, checkout)
        if checkout or payment:
            lock_client(checkout.client_id if checkout else payment.client_id)  # type: ignore[union-attr]
        event = ProviderEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
        if event.needs_person and event.settled_at is None:
            event.checkout = event.checkout or checkout or _begun(payment)
            _act_on(event, provider, heard, at)
            if not event.needs_person:
                _settled(event, at, by)
    return event


def settle_event(event: ProviderEvent, *, note: str, at: dt.datetime, by: Any) -> ProviderEvent:
    """A person has looked at it and says what came of it. Refused without a word; twice changes nothing."""
    if not note.strip():
        raise Refused(_("Write what came of it; whoever looks at it later has to know."), where="note")
    with transaction.atomic():
        event = ProviderEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
        if event.needs_person and event.settled_at is None:
            event.outcome = f"{event.outcome} {note.strip()}"[:300]
            _settled(event, at, by)
    return event


def take_as_payment(event: ProviderEvent, *, at: dt.datetime, by: Any) -> Payment:
    """A person takes money that arrived otherwise than agreed as a payment of the client who began it.

    What arrived counts, in its own currency: as much as fits goes where the client meant it, the rest is unapplied.
    Refused where no money arrived, or not in our account, where nobody began it here, and where it was taken already.
    """
    heard = heard_of(event)
    is_ours = heard.account == provider_of(event.provider).account
    if heard.kind != "succeeded" or not heard.amount or not is_ours or event.checkout is None:
        raise Refused(_("No money of a client arrived with this; write what came of it instead."), code="no_money")
    with transaction.atomic():
        lock_client(event.checkout.client_id)
        event = ProviderEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
        checkout = Checkout.objects.get(events=event)
        if checkout.payment is not None or event.settled_at is not None:
            raise Refused(_("This is settled already; load the page again."), code="settled")
        payment = _take_in(checkout, heard, event.provider, at, by)
        event.outcome = f"{event.outcome} {_('Taken as a payment.')}"[:300]
        _settled(event, at, by)
    return payment


def needing_person(company: Company | None = None) -> QuerySet[ProviderEvent]:
    """Words of providers that wait for a person; those that belong to nobody known here wait in every company."""
    waiting = ProviderEvent.objects.filter(needs_person=True, settled_at=None)
    return waiting.filter(Q(checkout=None) | Q(checkout__company=company)) if company else waiting


def hear_waiting(at: dt.datetime) -> dict[str, int]:
    """Try once more what waits, ask for payments whose end was not heard, and for refunds that got no answer."""
    known = providers()
    done = {"heard": 0, "asked": 0, "unreachable": 0}
    for event in needing_person().filter(provider__in=known, received_at__gte=at - KEEP_TRYING):
        done["heard"] += hear_again(event, known[event.provider], at=at, by=None).settled_at is not None
    unheard = Checkout.objects.filter(
        provider__in=known, state__in=("started", "pending"), started_at__lte=at - SILENT,
        started_at__gte=at - KEEP_ASKING,
    ).exclude(provider_ref="")
    for checkout in unheard.select_related("company"):
        try:
            done["asked"] += look_up(checkout, at=at).state not in ("started", "pending")
        except (Declined, Unreachable):
            done["unreachable"] += 1
    for refund in Refund.objects.filter(state="asked", provider_ref="", payment__checkout__provider__in=known):
        ask_provider(refund, refund.payment.checkout, on=today(refund.payment.company, at))
        done["asked"] += 1
    return done


def heard_of(event: ProviderEvent) -> Heard:
    """A kept word as it was heard."""
    facts = dict(event.facts)
    lines = tuple(
        PayoutLine(**{**line, "net": Decimal(line["net"]), "fee": Decimal(line["fee"])})
        for line in facts.pop("lines", ())
    )
    amount = facts.pop("amount", None)
    return Heard(
        event_id=event.event_id, kind=event.kind, happened_at=event.happened_at or event.received_at,  # type: ignore[arg-type]
        amount=Decimal(amount) if amount else None, lines=lines, **facts,
    )


def _act_on(event: ProviderEvent, provider: Provider, heard: Heard, at: dt.datetime) -> None:
    """Do what follows in a savepoint: a refusal is kept beside the word, and nothing half of it."""
    event.needs_person = False
    try:
        with transaction.atomic():
            if heard.account != provider.account:
                raise NeedsPerson(_("It is about another account (%(account)s).") % {"account": heard.account or "—"})
            event.outcome = _follow(event, provider, heard, at)
    except (NeedsPerson, Refused) as why:
        event.outcome, event.needs_person = str(why), True
    event.outcome = event.outcome[:300]
    event.save(update_fields=["checkout", "outcome", "needs_person"])


def _follow(event: ProviderEvent, provider: Provider, heard: Heard, at: dt.datetime) -> str:
    if heard.kind in RANK:
        return _of_checkout(event, provider, heard, at)
    if heard.kind == "payout":
        said, complete = post_payout(provider.name, heard, by=provider.label)
        event.needs_person = not complete
        return said
    if heard.kind == "other":
        if heard.because:
            raise NeedsPerson(f"{heard.name}: {heard.because}")
        return _("Nothing follows from it.")
    checkout = event.checkout
    payment = _payment_of(provider.name, heard, checkout)
    if payment is None:
        raise NeedsPerson(_("It is about a payment that is not known here (%(ref)s).") % {"ref": heard.payment_ref})
    if heard.currency != payment.currency or not heard.amount:
        raise NeedsPerson(_("It speaks of %(amount)s; the payment is in %(currency)s.") % {
            "amount": _said(heard), "currency": payment.currency,
        })
    facts: dict[str, Any] = {"on": _day(payment, heard, at), "by": provider.label}
    if heard.kind == "refunded":
        said, complete = given_back_at_provider(
            payment, heard.amount, key=f"{provider.name}:{heard.about}", **facts
        )
        event.needs_person = not complete
        return said
    if heard.kind == "refund_failed":
        return refund_failed(payment, provider_ref=heard.about, because=heard.because, **facts)
    key = f"{provider.name}:{heard.about}"
    if heard.kind == "chargeback":
        return lose_to_chargeback(payment, heard.amount, key=key, because=heard.because, **facts)
    return win_back(payment, heard.amount, key=key, won=heard.won, **facts)


def _of_checkout(event: ProviderEvent, provider: Provider, heard: Heard, at: dt.datetime) -> str:
    if event.checkout is None:
        if heard.kind != "succeeded":
            return _("Nobody began this payment here.")
        raise NeedsPerson(_("%(amount)s arrived for a payment that nobody began here.") % {"amount": _said(heard)})
    checkout = Checkout.objects.select_related("client__company").get(events=event)
    if heard.kind in ("succeeded", "pending") and (heard.amount, heard.currency) != (
        checkout.amount, checkout.currency
    ):
        raise NeedsPerson(_("%(arrived)s instead of %(agreed)s.") % {
            "arrived": _said(heard), "agreed": f"{plain(checkout.amount, checkout.currency)} {checkout.currency}",
        })
    if heard.kind == "succeeded":
        if checkout.payment is not None:
            return _("Known already.")
        payment = _take_in(checkout, heard, provider.name, at, provider.label)
        _hear_what_waited(provider, payment, at)
        return _("Paid.")
    if RANK[heard.kind] <= RANK[checkout.state]:
        return _("Known already, or overtaken by what came later.")
    changed(checkout, at, state=heard.kind, failed_because=heard.because[:300])
    return str(checkout.get_state_display())


def _take_in(checkout: Checkout, heard: Heard, name: str, at: dt.datetime, by: Any) -> Payment:
    """The money arrived: it goes where the client meant it, as far as that is still open; the rest is unapplied."""
    assert heard.amount is not None
    on = today(checkout.company, at)
    left, how = heard.amount, {}
    if heard.currency == checkout.currency:
        still_open = {claim.key: claim.balance for claim in open_claims(checkout.client, checkout.currency)}
        for key, meant in split_of(checkout).items():
            share = min(meant, still_open.get(key, Decimal(0)), left)
            if share > 0:
                how[key] = share
                left -= share
    payment = record_payment(
        checkout.client, heard.amount, heard.currency, key=f"{name}:{checkout.key}", method="card",
        received_on=min(heard.happened_at.astimezone(checkout.company.zone).date(), on), on=on, how=how,
        reference=heard.payment_ref or heard.ref, into=clearing(name), by=by,
    )
    changed(checkout, at, state="succeeded", payment=payment, failed_because="")
    return payment


def _hear_what_waited(provider: Provider, payment: Payment, at: dt.datetime) -> None:
    """What was said of a payment before the payment itself was heard follows now."""
    waiting = ProviderEvent.objects.filter(provider=provider.name, needs_person=True, settled_at=None)
    about = waiting.exclude(kind__in=RANK).order_by("happened_at", "pk")
    for event in about.select_for_update(of=("self",)):
        heard = heard_of(event)
        if _is_about(heard, payment):
            event.checkout = event.checkout or _begun(payment)
            _act_on(event, provider, heard, at)
            if not event.needs_person:
                _settled(event, at, None)


def _is_about(heard: Heard, payment: Payment) -> bool:
    if heard.kind == "payout":
        return any(line.payment_ref == payment.reference for line in heard.lines)
    return bool(heard.payment_ref) and heard.payment_ref == payment.reference


def _checkout_of(name: str, heard: Heard) -> Checkout | None:
    if not heard.checkout or heard.kind not in RANK:
        return None
    return Checkout.objects.filter(provider=name, key=heard.checkout).select_related("client__company").first()


def _payment_of(name: str, heard: Heard, checkout: Checkout | None) -> Payment | None:
    if checkout is not None:
        return checkout.payment
    if not heard.payment_ref:
        return None
    mine = Payment.objects.filter(checkout__provider=name, reference=heard.payment_ref)
    return mine.select_related("client", "company").first()


def _begun(payment: Payment | None) -> Checkout | None:
    return Checkout.objects.filter(payment=payment).first() if payment else None


def _day(payment: Payment, heard: Heard, at: dt.datetime) -> dt.date:
    day = heard.happened_at.astimezone(payment.company.zone).date()
    return max(min(day, today(payment.company, at)), payment.received_on)


def _said(heard: Heard) -> str:
    if heard.amount is None:
        return _("no sum")
    with suppress(ValueError):
        return f"{plain(heard.amount, heard.currency)} {heard.currency}"
    return f"{heard.amount} {heard.currency}"


def _settled(event: ProviderEvent, at: dt.datetime, by: Any) -> None:
    event.settled_at, event.settled_by = at, as_text(by)[:150]
    event.save(update_fields=["outcome", "settled_at", "settled_by"])


def _facts(heard: Heard) -> dict[str, Any]:
    """What is kept of a word besides its columns; plain JSON, nothing of a card or a person."""
    kept = asdict(heard)
    for name in ("event_id", "kind", "happened_at"):
        del kept[name]
    kept["amount"] = None if heard.amount is None else str(heard.amount)
    kept["lines"] = [asdict(line) | {"net": str(line.net), "fee": str(line.fee)} for line in heard.lines]
    return kept
