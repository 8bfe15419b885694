"""Promises: made by the client or taken down by a clerk; kept or broken is what the ledger says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, Least
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ar_collections.models import Promise, Task
from audit.services import record
from clients.models import Contact
from clients.services import lock_client
from core.dates import show_day
from core.errors import Refused
from core.fields import MoneyField, Signed
from core.models import Company, as_text
from core.money import is_exact, plain
from invoices.models import RECEIVABLE, Entry, Invoice
from policies.models import Policy
from policies.services import policy_of

from .deciding import chased
from .expressions import NO_AMOUNT

STATES = {
    "open": gettext_lazy("open"),
    "kept": gettext_lazy("kept"),
    "partly": gettext_lazy("partly kept"),
    "broken": gettext_lazy("broken"),
    "withdrawn": gettext_lazy("replaced"),
}


def promise_payment(
    invoice: Invoice, amount: Decimal, promised_for: dt.date, *, on: dt.date, by: Any, contact: Contact | None = None,
    by_client: bool = False,
) -> Promise:
    """The client will pay this amount of an invoice by a day; until then, and the policy's grace, it is not chased.

    What a client promises by itself pauses reminders only from the policy's share of what is open and undisputed. A new
    promise takes the place of one that still runs. Refused for a day that has passed, for nothing or more than is
    owed; by the client also beyond the policy's longest delay and number of promises per invoice.
    """
    policy = policy_of(invoice.company, on)
    with transaction.atomic():
        lock_client(invoice.client_id)
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("company", "client").get(pk=invoice.pk)
        if invoice.issued_at is None or invoice.voided_at is not None or invoice.balance == 0:
            raise Refused(_("Nothing is owed on this invoice."), code="settled")
        earlier = Promise.objects.filter(invoice=invoice)
        same = earlier.running_on(on).filter(amount=amount, promised_for=promised_for, made_on=on).first()
        if same:
            return same
        if amount <= 0 or not is_exact(amount, invoice.currency):
            raise Refused(_("Promise an amount above zero."), code="amount", where="amount")
        if amount > invoice.balance:
            raise Refused(
                _("%(amount)s %(currency)s is all that is owed on this invoice; promise that or less.")
                % {"amount": plain(invoice.balance, invoice.currency), "currency": invoice.currency},
                code="too_much", where="amount",
            )
        if promised_for < on:
            raise Refused(_("Promise today or a later day."), code="past", where="promised_for")
        if by_client:
            latest = latest_day_to_promise(invoice, policy, on)
            if promised_for > latest:
                raise Refused(
                    _("The latest day you can choose here is %(day)s; for a later one please call us.")
                    % {"day": show_day(latest, contact.speaks() if contact else invoice.client.language)},
                    code="too_late", where="promised_for",
                )
            if earlier.filter(by_client=True).count() >= policy.promise_most_open:
                raise Refused(
                    _("This invoice was promised %(n)d times; please call us.") % {"n": policy.promise_most_open},
                    code="too_many", where="promised_for",
                )
        earlier.running_on(on).update(withdrawn_on=on)
        promise = Promise.objects.create(
            client=invoice.client, invoice=invoice, contact=contact, amount=amount, currency=invoice.currency,
            promised_for=promised_for, pauses_until=promised_for + dt.timedelta(days=policy.promise_grace_days),
            made_on=on, made_by=as_text(by)[:150], by_client=by_client,
            pauses=not by_client or amount * 100 >= policy.promise_least_percent * _asked(invoice, on),
        )
        record(
            by, "promise_made", promise, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
            summary=f"{plain(amount, invoice.currency)} {invoice.currency} by {promised_for}",
        )
    return promise


def _asked(invoice: Invoice, on: dt.date) -> Decimal:
    rows = chased(invoice.company, on).filter(pk=invoice.pk).values_list("owed", "disputed")
    return sum((owed - disputed for owed, disputed in rows), Decimal(0))


def latest_day_to_promise(invoice: Invoice, policy: Policy, on: dt.date) -> dt.date:
    """The last day a client may name without calling us: so many days after today, or after a due day still to come."""
    return max(on, invoice.due_on or on) + dt.timedelta(days=policy.promise_longest_days)


def withdraw_promise(promise: Promise, *, on: dt.date, by: Any) -> None:
    """The promise no longer counts from this day; withdrawing it twice changes nothing."""
    with transaction.atomic():
        if Promise.objects.filter(pk=promise.pk, withdrawn_on=None).update(withdrawn_on=on):
            record(by, "promise_withdrawn", promise, client_id=promise.client_id)
    promise.refresh_from_db()


def with_state(promises: QuerySet[Promise], on: dt.date) -> QuerySet[Any]:
    """Promises with ``paid`` and ``state`` on a day: open, kept, partly, broken or withdrawn; derived, never stored.

    ``paid`` is what was posted on their invoice after they were made and is dated up to their last day, also where it
    is dated before them: a transfer of Friday is found on Monday. What comes after a promise was replaced counts for
    its successor. Where the invoice is settled the promise is kept.
    """
    far = Value(dt.datetime(9999, 1, 1, tzinfo=dt.UTC), output_field=DateTimeField())
    successor = Promise.objects.filter(invoice=OuterRef("invoice"), pk__gt=OuterRef("pk")).order_by("pk")
    is_withdrawn = Q(withdrawn_on__lte=on)
    promises = promises.alias(
        counts_to=Case(When(is_withdrawn, then=Least("pauses_until", "withdrawn_on")), default=F("pauses_until")),
        counts_until=Case(
            When(is_withdrawn, then=Coalesce(Subquery(successor.values("made_at")[:1]), far)), default=far
        ),
    )
    moves = Entry.objects.filter(
        Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=OuterRef("invoice"), effective_on__lte=on
    ).filter(effective_on__lte=OuterRef("counts_to")).order_by()
    since = moves.filter(posted_at__gte=OuterRef("made_at"), posted_at__lt=OuterRef("counts_until"))
    moved = Case(When(cr=RECEIVABLE, then=F("amount")), default=Signed(F("amount")), output_field=MoneyField())
    paid, net = (
        Subquery(rows.values("invoice").annotate(s=Sum(moved)).values("s"), output_field=MoneyField())
        for rows in (since, moves)
    )
    return promises.alias(net=net).annotate(paid=Coalesce(paid, NO_AMOUNT)).annotate(
        state=Case(
            When(paid__gte=F("amount"), then=Value("kept")),
            When(is_withdrawn, then=Value("withdrawn")),
            When(net__gte=NO_AMOUNT, then=Value("kept")),  # settled
            When(pauses_until__gte=on, then=Value("open")),
            When(paid__gt=NO_AMOUNT, then=Value("partly")),
            default=Value("broken"), output_field=CharField(),
        )
    )


def judge_promises(company: Company, on: dt.date, *, by: Any) -> int:
    """Raise a task for every promise that ran out without being kept, once; answers how many were raised.

    Chasing goes on by itself where it was: the promise no longer pauses it.
    """
    ran_out = Promise.objects.filter(client__company=company, pauses_until__lt=on, withdrawn_on=None)
    if not ran_out.exists():
        return 0
    key = Concat(Value("promise_broken:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    not_raised = with_state(ran_out.filter(~Exists(Task.objects.filter(key=key))), on)
    judged = not_raised.filter(state__in=["partly", "broken"]).select_related("client", "invoice")
    return _raise_tasks(company, judged, on, by)


def _raise_tasks(company: Company, promises: Iterable[Any], on: dt.date, by: Any) -> int:
    raised = 0
    for promise in promises:
        amount = f"{plain(promise.amount, promise.currency)} {promise.currency}"
        what = {"amount": amount, "day": promise.promised_for.isoformat()}
        because = _("Promised %(amount)s by %(day)s, nothing came") % what
        if promise.state == "partly":
            paid = f"{plain(promise.paid, promise.currency)} {promise.currency}"
            because = _("Promised %(amount)s by %(day)s, %(paid)s came") % {**what, "paid": paid}
        with transaction.atomic():
            _task, made = Task.objects.get_or_create(
                key=f"promise_broken:{promise.pk}",
                defaults={
                    "company": company, "client": promise.client, "invoice": promise.invoice, "kind": "promise_broken",
                    "because": because, "due_on": on, "owner": promise.client.owner,
                },
            )
            if made:
                record(by, "promise_judged", promise, client_id=promise.client_id, summary=because)
                raised += 1
    return raised
