"""What credit asks of a person, list by list: limits proposed or nearly used, clients without one, checks, terms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Case, Exists, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from ar_collections.models import LimitProposal
from ar_collections.services.greeting_choice import NextGreeting, next_greetings
from ar_collections.services.terms_sending import without_acceptance
from clients.models import Client, CreditCheck, CreditLimit, LimitMark, StatusChange
from clients.services.status import NO_CREDIT
from core.models import Company
from core.money import plain
from invoices.services.exposure import Credit
from policies.credit_terms import terms_in_force

SOON = dt.timedelta(days=30)
STATUSES = tuple(dict(StatusChange.STATUSES))
TABS = ("proposals", "near", "restricted", "unlimited", "checks", "terms", "greetings")


def with_status(clients: QuerySet[Any], on: dt.date) -> QuerySet[Any]:
    """Each client with its ``credit_status`` on a day; the twin of ``status_of`` for lists."""
    changes = StatusChange.objects.filter(client=OuterRef("pk"), effective_on__lte=on)
    holding = changes.filter(Q(ends_on=None) | Q(ends_on__gte=on)).order_by("-effective_on", "-id")
    status = Coalesce(Subquery(holding.values("status")[:1]), Value("open"))
    rows: QuerySet[Any] = clients.annotate(credit_status=status)
    return rows


def with_rank(clients: QuerySet[Any], on: dt.date) -> QuerySet[Any]:
    """Each client with its ``credit_rank``: 0 where credit is open, the highest where we no longer sell."""
    ranks = [When(credit_status=status, then=Value(rank)) for rank, status in enumerate(STATUSES)]
    rows: QuerySet[Any] = with_status(clients, on).annotate(credit_rank=Case(*ranks, default=Value(0)))
    return rows


def proposals_of(company: Company) -> QuerySet[LimitProposal]:
    """Limits a review proposes, for which a person is asked, the latest first."""
    waiting = LimitProposal.objects.filter(client__company=company, outcome="")
    return waiting.select_related("client").order_by("-as_of", "client__name")


def near_limit(company: Company, on: dt.date) -> QuerySet[Any]:
    """Clients over a mark of their limit, with the highest ``percent`` told; those furthest first."""
    standing = LimitMark.objects.filter(client=OuterRef("pk"), fell_back_on=None).order_by().values("client")
    highest = Subquery(standing.annotate(p=Max("percent")).values("p"))
    return Client.objects.filter(company=company).annotate(percent=highest).exclude(percent=None).order_by("-percent")


def restricted(company: Company, on: dt.date) -> QuerySet[Any]:
    """Clients who buy for cash only, or to whom we no longer sell."""
    rows = with_status(Client.objects.filter(company=company), on)
    return rows.filter(credit_status__in=["cash_only", "closed"]).order_by("credit_status", "name")


def unlimited(company: Company, on: dt.date) -> QuerySet[Any]:
    """Clients whom nothing bounds: no limit in their own currency, and not closed."""
    limits = CreditLimit.objects.filter(
        client=OuterRef("pk"), currency=OuterRef("currency"), effective_on__lte=on
    )
    rows = with_status(Client.objects.filter(company=company), on).filter(~Exists(limits))
    return rows.exclude(credit_status="closed").order_by("name")


def checks_ending(company: Company, on: dt.date) -> QuerySet[Any]:
    """Clients whose last valid check has ended, or ends within a month, with the day it is ``valid_until``."""
    checks = CreditCheck.objects.filter(client=OuterRef("pk")).order_by().values("client")
    last = Subquery(checks.annotate(v=Max("valid_until")).values("v"))
    rows = with_status(Client.objects.filter(company=company).annotate(valid_until=last), on)
    return rows.filter(valid_until__lte=on + SOON).exclude(credit_status="closed").order_by("valid_until", "name")


def not_accepted(company: Company, on: dt.date) -> QuerySet[Any]:
    """Clients who have not accepted the credit terms in force; nobody while none are published."""
    terms = terms_in_force(company, on)
    if terms is None:
        return Client.objects.none()
    return with_status(without_acceptance(company, terms), on).exclude(credit_status="closed").order_by("name")


LISTS: dict[str, Callable[[Company, dt.date], QuerySet[Any]]] = {
    "near": near_limit, "restricted": restricted, "unlimited": unlimited, "checks": checks_ending,
    "terms": not_accepted,
}  # fmt: skip


def greetings_of(company: Company, on: dt.date) -> list[NextGreeting]:
    """Who is greeted next, and who is not and why, by the day it leaves."""
    return sorted(next_greetings(company, on), key=lambda row: (row.span.first, row.client.name))


def counts_of(company: Company, on: dt.date) -> dict[str, int]:
    """How many rows each list has; of the greetings, those that go."""
    counts = {name: rows(company, on).count() for name, rows in LISTS.items()}
    counts["proposals"] = proposals_of(company).count()
    counts["greetings"] = sum(row.state in ("goes", "planned") for row in greetings_of(company, on))
    return counts


def by_credit(clients: QuerySet[Any], asked: str, on: dt.date) -> QuerySet[Any]:
    """The clients whose credit is as asked: a status, "unlimited" or "near"; all of them for anything else."""
    if asked == "near":
        marks = LimitMark.objects.filter(client=OuterRef("pk"), fell_back_on=None)
        return clients.filter(Exists(marks))
    if asked == "unlimited":
        limits = CreditLimit.objects.filter(
            client=OuterRef("pk"), currency=OuterRef("currency"), effective_on__lte=on
        )
        return clients.filter(~Exists(limits))
    return with_status(clients, on).filter(credit_status=asked) if asked in STATUSES else clients


def spendable(credit: Credit, currency: str) -> str:
    """The credit that can still be used, for a file: nothing for cash-only, empty where there is no limit."""
    if credit.status is not None and credit.status.status in NO_CREDIT:
        return plain(Decimal(0), currency)
    return "" if credit.available is None else plain(credit.available, currency)


def marks_at_limit(company: Company) -> QuerySet[LimitMark]:
    """One row for every client who has reached a limit, or passed it."""
    return LimitMark.objects.filter(client__company=company, percent=100, fell_back_on=None)
