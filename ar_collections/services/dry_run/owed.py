"""What is open by a policy, with all that its interest asks about, read for a whole book at once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django.db.models import Exists, OuterRef, Q, Subquery

from disputes.models import Dispute
from invoices.interest import Quiet
from invoices.models import RECEIVABLE, Charge, Entry, Extension, InterestNotice, Invoice
from invoices.parts import Part, open_parts
from invoices.services.charging import Policies
from invoices.services.parts import plans_of
from policies.choices import Since, Subject
from policies.models import PolicyChoice
from policies.services.choices import company_s_policy
from policies.services.precedence import governed


class Chosen(NamedTuple):
    """The day from which interest was chosen to run when the item was taken over."""

    interest_from: dt.date | None


class Owed(NamedTuple):
    """An invoice that is open, with what charging asks about it; ``due_on`` is the day its first part was due.

    ``moved``: something was paid or credited already. ``paused``: it was disputed, or more time was agreed, once.
    ``charged`` are the days interest stands charged for; ``line`` is by which policies it bears interest, where another
    one was chosen meanwhile.
    """

    invoice: int
    currency: str
    balance: Decimal
    due_on: dt.date
    late_percent: Decimal
    told: dt.date | None  # the day an earlier notice named
    intake: Chosen | None
    total: Decimal
    parts: tuple[Part, ...] = ()
    moved: bool = False
    paused: bool = False
    quiet: tuple[Quiet, ...] = ()
    charged: tuple[Period, ...] = ()
    line: tuple[Since, ...] = ()

    @property
    def is_taken_over(self) -> bool:
        return self.intake is not None

    @property
    def in_parts(self) -> bool:
        return bool(self.parts)

    @property
    def is_plain(self) -> bool:
        """It always owed what it owes today."""
        return not (self.parts or self.moved or self.paused)

    def owed_at(self, day: dt.date) -> Decimal:
        """What is open of it and due before a day."""
        if not self.parts:
            return self.balance
        filled = open_parts(self.parts, self.total - self.balance)
        return sum((part.open for part in filled if part.due_on < day), Decimal(0))

    def __str__(self) -> str:
        return "the invoice"

    def as_invoice(self) -> Invoice:
        """As the rules of charging take it: what they ask of an invoice, this has by the same names."""
        return cast(Invoice, self)


class Period(NamedTuple):
    """Days for which interest is charged, first and last included."""

    from_on: dt.date
    to_on: dt.date


def owed_now(name: str, users: Iterable[int], companies: Iterable[int], on: dt.date) -> Iterator[Owed]:
    """All that is open by a policy on a day."""
    rows = Invoice.objects.issued().filter(governed(name, users), company__in=list(companies), balance__gt=0)
    rows = rows.filter(issued_on__lte=on).order_by()
    plans = plans_of(rows.filter(in_parts=True).values_list("pk", flat=True))
    quiet, charged, lines = _quiet(rows), _charged(rows), _lines(rows)
    notices = InterestNotice.objects.standing().filter(invoice=OuterRef("pk")).order_by("interest_from")
    moves = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=OuterRef("pk")).exclude(kind="issue")
    paused = Exists(Dispute.objects.filter(invoice=OuterRef("pk"))) | Exists(
        Extension.objects.filter(invoice=OuterRef("pk"))
    )
    found = rows.annotate(
        told_from=Subquery(notices.values("interest_from")[:1]), moved=Exists(moves), paused=paused,
    )  # fmt: skip
    columns = (
        "pk", "currency", "balance", "due_on", "late_percent", "told_from", "intake", "intake__interest_from", "total",
        "moved", "paused",
    )  # fmt: skip
    for pk, currency, balance, due_on, percent, told, taken_over, chosen, total, moved, was_paused in found.values_list(
        *columns
    ).iterator(chunk_size=5000):
        parts = tuple(plans.get(pk, ()))
        yield Owed(
            pk, currency, balance, parts[0].due_on if parts else due_on, percent, told,
            Chosen(chosen) if taken_over else None, total, parts, moved, was_paused, quiet.get(pk, ()),
            charged.get(pk, ()), lines.get(pk, ()),
        )  # fmt: skip


def _quiet(rows: Any) -> dict[int, tuple[Quiet, ...]]:
    """Days still to come on which part of an invoice earns nothing: an open dispute, time to pay that was agreed."""
    found: dict[int, tuple[Quiet, ...]] = defaultdict(tuple)
    disputes = Dispute.objects.filter(invoice__in=rows, closed_on=None)
    for pk, opened_on, amount in disputes.values_list("invoice_id", "opened_on", "amount"):
        found[pk] += (Quiet(opened_on, None, amount, disputed=True),)
    agreed = Extension.objects.standing().filter(invoice__in=rows).exclude(interest="runs")
    for pk, since, until, what, due_on in agreed.values_list(
        "invoice_id", "agreed_on", "until_on", "interest", "invoice__due_on"
    ):
        begins = since if what == "pauses" or due_on is None else min(since, due_on)
        found[pk] += (Quiet(begins, until),)
    return found


def _charged(rows: Any) -> dict[int, tuple[Period, ...]]:
    """The days for which interest stands charged, by invoice; what was taken back is not."""
    found: dict[int, tuple[Period, ...]] = defaultdict(tuple)
    standing = Charge.objects.standing().filter(kind="interest", invoice__in=rows)
    for pk, first, last in standing.order_by().values_list("invoice", "from_on", "to_on"):
        if first and last:
            found[pk] += (Period(first, last),)
    return found


def _lines(rows: Any) -> dict[int, tuple[Since, ...]]:
    """By which policies an invoice bears interest, one after the other, where another one was chosen meanwhile."""
    policies = Policies()
    changed = PolicyChoice.objects.order_by().values_list("company", flat=True).distinct()
    usual = {company: company_s_policy(company) for company in changed if policies.was_changed(company)}
    found = {}
    asked = rows.filter(company__in=usual).values_list(
        "company", "client", "client__segment", "pk", "client__segment__policy_name", "client__policy_name",
        "policy_name",
    )  # fmt: skip
    for company, client, segment, pk, segment_s, *names in asked.iterator(chunk_size=5000) if usual else ():
        line = policies.line_of(Subject(company, client, segment, pk, usual[company], segment_s or "", *names))
        if len(line) > 1:
            found[pk] = line
    return found
