"""What a company's clients owe on a day, and what of it they may be asked for: one question, asked everywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from ar_collections.models import Pause, Promise, StageChange
from core.fields import MoneyField
from core.models import Company
from disputes.models import Dispute
from invoices.due import DueDay, DueNow, PartNow
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, Entry, Extension, Invoice, InvoicePart
from payments.models import Checkout

from .expressions import NO_AMOUNT, ShareOf, SignedFor, balance_of, of_account

OUT_OF_OUR_HANDS = ("handed_over", "closed")  # stages at which others collect, or nobody does


def owing(company: Company, on: dt.date) -> QuerySet[Any]:
    """Invoices of the company issued on or before the day, with ``owed``: what is due of their balance at its end.

    ``owed`` leaves out the parts of an invoice that fall due after its next one and after the day; ``whole`` does not.
    ``due_day`` is the day of the earliest part not covered, ``part_now`` its place; both as of the day. The cached
    balance is taken where nothing is dated later; otherwise what came later is taken off it again.
    """
    return _owing(company.pk, on, book_of(company, on)).all()


def chased(company: Company, on: dt.date) -> QuerySet[Any]:
    """What the company may ask for on a day: ``owed`` less ``disputed``; and all that stands against asking.

    ``promised``, ``paused``, ``in_flight``, ``extended`` (more time was agreed) and ``handed_over``. ``ladder_day`` is
    the day the ladder counts from: the due day, or the last day of the latest time to pay that has run out.
    """
    return chased_in(company.pk, on, book_of(company, on)).all()


def may_be_asked(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Of what is chased, that against which nothing stands; a disputed part is still to be taken off."""
    return rows.filter(promised=False, paused=False, in_flight=False, extended=False, handed_over=False)


class Book(NamedTuple):
    """What there is in a book that a question has to go into; what there is not costs it nothing."""

    has_later: bool  # entries dated after the day
    has_parts: bool  # invoices in parts
    has_disputes: bool  # open on the day
    has_promises: bool  # that stop reminders on the day
    has_pauses: bool  # running on the day
    has_flying: bool  # payments on their way
    has_extensions: bool  # time to pay agreed
    has_handed_over: bool  # clients whom others collect from


def book_of(company: Company, on: dt.date) -> Book:
    """What there is in the company's book on a day; one query."""
    with connection.cursor() as cursor:
        cursor.execute(*_as_sql(company.pk, on))
        return Book(*map(bool, cursor.fetchone()))


def what_there_is(company: Company, on: dt.date, *more: Exists) -> tuple[bool, ...]:
    """The answers that make a ``Book``, and to more questions of that kind, in one query."""
    return _what_there_is(company.pk, on, *more).get()


def _what_there_is(company: int, on: dt.date, *more: Exists) -> QuerySet[Any, tuple[bool, ...]]:
    later = Entry.objects.filter(company=company, effective_on__gt=on)
    stages = StageChange.objects.filter(stage_to__in=OUT_OF_OUR_HANDS)
    asked = Company.objects.filter(pk=company).order_by()
    found: QuerySet[Any, tuple[bool, ...]] = asked.values_list(
        Exists(later), Exists(InvoicePart.objects.all()), Exists(Dispute.objects.open_on(on)),
        Exists(Promise.objects.pausing_on(on)), Exists(Pause.objects.running_on(on)),
        Exists(Checkout.objects.in_flight()), Exists(Extension.objects.standing()), Exists(stages), *more,
    )  # fmt: skip
    return found


# These only write questions down. They are kept, because in a night that goes window by window, and for every message
# on its way, writing the question takes longer than the answer.
@lru_cache(maxsize=32)
def _as_sql(company: int, on: dt.date) -> tuple[str, tuple[Any, ...]]:
    return _what_there_is(company, on).query.sql_with_params()


@lru_cache(maxsize=32)
def _owing(company: int, on: dt.date, book: Book) -> QuerySet[Any]:
    issued = Invoice.objects.issued().filter(company=company, issued_on__lte=on).order_by()
    whole: Any = F("balance")
    if book.has_later:
        later = Entry.objects.filter(invoice=OuterRef("pk"), effective_on__gt=on)
        whole = ExpressionWrapper(whole - balance_of(later, RECEIVABLE, "invoice"), output_field=MoneyField())
    open_then = issued.annotate(whole=whole).filter(whole__gt=0)
    rows: QuerySet[Any]
    if not book.has_parts:
        rows = open_then.annotate(due_day=F("due_on"), owed=F("whole"), part_now=Value(1))
        return rows
    due_day = DueDay(F("whole")) if book.has_later else F("due_on")
    rows = open_then.annotate(due_day=due_day).annotate(
        owed=DueNow(on, F("whole"), F("due_day")), part_now=PartNow(F("due_day"))
    )
    return rows


@lru_cache(maxsize=32)
def chased_in(company: int, on: dt.date, book: Book) -> QuerySet[Any]:
    """``chased``, where what there is in the book is known already."""
    disputed: Any = NO_AMOUNT
    promised: Any = Value(False)
    paused: Any = Value(False)
    if book.has_disputes:
        disputes = Dispute.objects.open_on(on).filter(invoice=OuterRef("pk")).order_by().values("invoice")
        sums = disputes.annotate(s=Sum(Coalesce("amount", "invoice__total"))).values("s")
        disputed = Coalesce(Subquery(sums), NO_AMOUNT)
    if book.has_promises:
        promised = Exists(Promise.objects.pausing_on(on).filter(invoice=OuterRef("pk")))
    if book.has_pauses:
        pauses = Pause.objects.running_on(on).filter(client=OuterRef("client"))
        paused = Exists(pauses.filter(Q(invoice=None) | Q(invoice=OuterRef("pk"))))
    rows: QuerySet[Any] = _owing(company, on, book).annotate(disputed=disputed, promised=promised, paused=paused)
    covered: Any = Value(False)
    if book.has_flying:
        rows = rows.annotate(flying=Coalesce(Subquery(_flying(on)), NO_AMOUNT))
        covered = Q(flying__gt=0, flying__gte=F("owed") - F("disputed"))
    rows = rows.annotate(in_flight=ExpressionWrapper(covered, output_field=BooleanField()))
    rows = _with_extensions(rows, on) if book.has_extensions else rows.annotate(
        extended=Value(False), ladder_day=F("due_day")
    )
    if not book.has_handed_over:
        rows = rows.annotate(handed_over=Value(False))
        return rows
    stages = StageChange.objects.filter(client=OuterRef("client"), changed_on__lte=on).order_by("-pk")
    out = Q(stage_now__in=OUT_OF_OUR_HANDS, stage_now__isnull=False)
    rows = rows.annotate(stage_now=Subquery(stages.values("stage_to")[:1]))
    rows = rows.annotate(handed_over=ExpressionWrapper(out, output_field=BooleanField()))
    return rows


def _with_extensions(rows: QuerySet[Any], on: dt.date) -> QuerySet[Any]:
    """Time agreed stops the ladder to its last day; from there it goes on where it was, as if due on that day."""
    agreed = Extension.objects.filter(invoice=OuterRef("pk"), agreed_on__lte=on)
    agreed = agreed.filter(Q(withdrawn_on=None) | Q(withdrawn_on__gt=on))
    ran_out = agreed.filter(until_on__lt=on).order_by("-until_on").values("until_on")[:1]
    found: QuerySet[Any] = rows.annotate(
        extended=Exists(Extension.objects.running_on(on).filter(invoice=OuterRef("pk"))), ran_out_on=Subquery(ran_out)
    ).annotate(ladder_day=Case(When(ran_out_on__gt=F("due_day"), then=F("ran_out_on")), default=F("due_day")))
    return found


def _flying(on: dt.date) -> QuerySet[Any]:
    """What of the invoice outside is on its way by a payment provider: paid by the client, not yet arrived."""
    begun = Checkout.objects.in_flight().filter(client=OuterRef("client"), started_on__lte=on)
    shares = begun.annotate(share=ShareOf(OuterRef("pk"))).filter(share__gt=0)
    return shares.order_by("-share").values("share")[:1]


def askable(company: Company, on: dt.date, client: int) -> list[tuple[str, dt.date, Decimal]]:
    """Currency, due date and amount of all a client may be asked for on a day, due or not."""
    return askable_of(company, on, [client]).get(client, [])


def askable_of(
    company: Company, on: dt.date, clients: Collection[int]
) -> dict[int, list[tuple[str, dt.date, Decimal]]]:
    """The same for many clients, in one query."""
    rows = may_be_asked(chased(company, on)).filter(client__in=clients, owed__gt=F("disputed"))
    found: dict[int, list[tuple[str, dt.date, Decimal]]] = {}
    columns = ("client_id", "currency", "due_day", "owed", "disputed")
    for client, currency, due_on, owed, disputed in rows.values_list(*columns):
        found.setdefault(client, []).append((currency, due_on, owed - disputed))
    return found


def overdue_of(company: Company, on: dt.date, clients: Collection[int]) -> dict[int, dict[str, Decimal]]:
    """What clients are asked for that was due before the day; per client and currency."""
    found: dict[int, dict[str, Decimal]] = {}
    for client, items in askable_of(company, on, clients).items():
        for currency, due_on, asked in items:
            if due_on < on:
                sums = found.setdefault(client, {})
                sums[currency] = sums.get(currency, Decimal(0)) + asked
    return found


def cash_of(client: int, on: dt.date) -> dict[str, Decimal]:
    """Unapplied cash of a client at the end of a day, per currency."""
    return cash_of_clients([client], on).get(client, {})


def cash_of_clients(clients: Collection[int], on: dt.date) -> dict[int, dict[str, Decimal]]:
    """Unapplied cash of clients at the end of a day, per client and currency; asked once for many, not per invoice."""
    entries = of_account(Entry.objects.filter(client__in=clients, effective_on__lte=on), CUSTOMER_CREDIT)
    rows = entries.order_by().values("client_id", "currency").annotate(s=Sum(SignedFor(CUSTOMER_CREDIT)))
    found: dict[int, dict[str, Decimal]] = {}
    for client, currency, total in rows.values_list("client_id", "currency", "s"):
        if total:
            found.setdefault(client, {})[currency] = -total
    return found
