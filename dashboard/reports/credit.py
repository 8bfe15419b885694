"""What the pages about one client's credit read: how it stands, what the exposure is made of, and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Sum
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from ar_collections.models import LimitProposal
from clients.credit_gate import percent_used
from clients.models import (
    Client,
    CreditCheck,
    CreditDecision,
    CreditLimit,
    CreditOverride,
    Document,
    StatusChange,
)
from clients.services.deciding import Grounds, grounds_of
from clients.services.limits import limits_of
from clients.services.status import status_of
from core.dates import show_day
from core.errors import Refused
from invoices.exposure import Exposure
from invoices.models import Charge, CompletedWork, Invoice, ProForma
from invoices.services.exposure import exposures_of

from .payments import payments_of

MOST_ROWS = 50
PARTS = {
    "open_not_due": gettext_lazy("Open, not due"), "overdue": gettext_lazy("Overdue"),
    "charges": gettext_lazy("Interest and fees"), "work": gettext_lazy("Work not invoiced yet"),
    "drafts": gettext_lazy("Drafts"), "unapplied": gettext_lazy("Unapplied cash"),
    "kept": gettext_lazy("Paid on a pro forma, kept for it"),
}  # fmt: skip
SHADES = {"open_not_due": "a0", "overdue": "a3", "charges": "a4", "work": "a1", "drafts": "a2", "kept": "a1"}
COVERED_FIRST = ("overdue", "open_not_due", "charges", "work", "drafts", "kept")
WIDE = 1000


@dataclass(frozen=True)
class PartRow:
    """One of the things a component is made of."""

    label: str
    amount: Decimal
    note: str = ""
    url: str = ""


@dataclass
class Part:
    """A component of the exposure: its sum, and the rows it is made of. ``counts`` says whether it is in the total."""

    key: str
    amount: Decimal
    counts: bool = True
    rows: list[PartRow] = field(default_factory=list)
    left: float = 0
    width: float = 0

    @property
    def label(self) -> str:
        return str(PARTS[self.key])

    @property
    def shade(self) -> str:
        return SHADES.get(self.key, "")


@dataclass
class Standing:
    """How a client stands in one currency: limit, exposure, what is left, and the bar that shows it."""

    currency: str
    limit: CreditLimit | None
    exposure: Exposure
    parts: list[Part] = field(default_factory=list)

    @property
    def available(self) -> Decimal | None:
        return None if self.limit is None else self.limit.amount - self.exposure.total

    @property
    def percent(self) -> int | None:
        return None if self.limit is None else percent_used(self.limit.amount, self.exposure.total)

    @property
    def filled(self) -> int:
        """The percentage as a bar can show it."""
        return min(self.percent or 0, 100)

    @property
    def over(self) -> Decimal:
        """How far the limit is passed, or nothing."""
        return max(-self.available, Decimal(0)) if self.available is not None else Decimal(0)

    @property
    def tone(self) -> str:
        used = self.percent or 0
        return "bad" if used >= 100 else "warn" if used >= 80 else ""

    @property
    def mark(self) -> float | None:
        """Where on the bar the limit lies; nothing where it is its end or does not exist."""
        return round(WIDE * float(self.limit.amount / self._whole()), 1) if self.limit and self.over else None

    def _whole(self) -> Decimal:
        return max(self.exposure.total, self.limit.amount if self.limit else Decimal(0)) or Decimal(1)

    def draw(self) -> None:
        """Give every part that counts its place on a bar as long as the limit, or as what is owed.

        Cash that is held covers the oldest first, so that the bar ends where the exposure does.
        """
        owed = {part.key: part.amount for part in self.parts if part.counts and part.amount > 0}
        cash = -sum((part.amount for part in self.parts if part.counts and part.amount < 0), Decimal(0))
        for key in COVERED_FIRST:
            covered = min(cash, owed.get(key, Decimal(0)))
            cash -= covered
            if covered:
                owed[key] -= covered
        left = 0.0
        for part in self.parts:
            part.left = round(left, 1)
            part.width = round(WIDE * float(owed.get(part.key, Decimal(0)) / self._whole()), 1)
            left += part.width


@dataclass(frozen=True)
class Trust:
    """The head of every page of a client: the status that holds, and the standing in its own currency first."""

    status: StatusChange | None
    standings: list[Standing]

    @property
    def key(self) -> str:
        return self.status.status if self.status else "open"

    @property
    def main(self) -> Standing:
        return self.standings[0]

    def of(self, currency: str) -> Standing | None:
        return next((one for one in self.standings if one.currency == currency), None)


def trust_in(client: Client, on: dt.date) -> Trust:
    """How the client stands on a day, in its own currency and in every other that has a limit or an exposure."""
    exposures = {currency: found for (_pk, currency), found in exposures_of([client], on).items()}
    limits = {currency: found for (_pk, currency), found in limits_of([client], on).items()}
    codes = sorted({*exposures, *limits} - {client.currency})
    standings = [
        Standing(code, limits.get(code), exposures.get(code) or Exposure(code)) for code in (client.currency, *codes)
    ]
    return Trust(status_of(client, on), standings)


def with_parts(client: Client, standing: Standing, on: dt.date) -> Standing:
    """The standing with its components, each with the rows it is made of; drafts stand there even if not counted."""
    exposure = standing.exposure
    amounts = exposure.components()
    if exposure.drafts and "drafts" not in amounts:
        amounts |= {"drafts": exposure.drafts}
    standing.parts = [
        Part(
            key, amounts[key], key != "drafts" or exposure.counts_drafts,
            list(ROWS[key](client, standing.currency, on)),
        )
        for key in PARTS
        if amounts.get(key)
    ]
    standing.draw()
    return standing


def _invoices(client: Client, currency: str) -> Any:
    return Invoice.objects.open().of(client).filter(currency=currency).order_by("due_on", "id")


def _not_due(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    return [_owed(invoice) for invoice in _invoices(client, currency).filter(due_on__gte=on)[:MOST_ROWS]]


def _overdue(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    return [_owed(invoice) for invoice in _invoices(client, currency).filter(due_on__lt=on)[:MOST_ROWS]]


def _owed(invoice: Invoice) -> PartRow:
    note = _("due %(day)s") % {"day": _day(invoice.due_on)}
    return PartRow(str(invoice), invoice.balance, note, reverse("dashboard:invoice", args=[invoice.pk]))


def _charges(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    rows = Charge.objects.open().filter(client=client, currency=currency).select_related("invoice")
    for charge in rows.order_by("charged_on")[:MOST_ROWS]:
        label = f"{capfirst(charge.get_kind_display())} · {charge.invoice}"
        page = reverse("dashboard:invoice", args=[charge.invoice_id])
        yield PartRow(label, charge.balance, _day(charge.charged_on), page)


def _work(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    rows = CompletedWork.objects.filter(client=client, currency=currency, removed_at=None)
    for work in rows.filter(invoice=None).order_by("done_on")[:MOST_ROWS]:
        yield PartRow(work.description, work.gross, _("done %(day)s") % {"day": _day(work.done_on)})


def _drafts(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    rows = Invoice.objects.drafts().of(client).filter(currency=currency)
    prepaid = ProForma.objects.filter(cancelled_at=None).values("invoice")
    for draft in rows.exclude(pk__in=prepaid).order_by("id")[:MOST_ROWS]:
        yield PartRow(str(draft), draft.total, "", reverse("dashboard:invoice", args=[draft.pk]))


def _cash(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    for payment in _left(client, currency)[:MOST_ROWS]:
        note = _("received %(day)s") % {"day": _day(payment.received_on)}
        label = payment.reference or str(payment.get_method_display())
        yield PartRow(label, -payment.left, note, reverse("dashboard:payment", args=[payment.pk]))


def _kept(client: Client, currency: str, on: dt.date) -> Iterable[PartRow]:
    standing = ProForma.objects.filter(invoice__client=client, cancelled_at=None, invoice__issued_at=None)
    rows: Any = standing.filter(currency=currency).annotate(paid=Sum("payments__amount"))
    for pro_forma in rows.filter(paid__gt=0):
        yield PartRow(str(pro_forma), pro_forma.paid, "", reverse("dashboard:invoice", args=[pro_forma.invoice_id]))


def _left(client: Client, currency: str) -> Any:
    rows = payments_of(client.company).filter(client=client, currency=currency, left__gt=0)
    return rows.order_by("received_on", "pk")


def _day(day: dt.date | None) -> str:
    return show_day(day, get_language() or "en", "short") if day else ""


ROWS: dict[str, Callable[[Client, str, dt.date], Iterable[PartRow]]] = {
    "open_not_due": _not_due, "overdue": _overdue, "charges": _charges, "work": _work, "drafts": _drafts,
    "unapplied": _cash, "kept": _kept,
}  # fmt: skip


@dataclass(frozen=True)
class CreditHistory:
    """Every limit, status and exception a client ever had, the latest first."""

    limits: list[CreditLimit]
    statuses: list[StatusChange]
    overrides: list[tuple[CreditOverride, bool]]


def history_of(client: Client, on: dt.date) -> CreditHistory:
    """The whole history; ``overrides`` say beside each whether it stands today."""
    return CreditHistory(
        list(CreditLimit.objects.filter(client=client)[:MOST_ROWS]),
        list(StatusChange.objects.filter(client=client)[:MOST_ROWS]),
        [(one, one.stands(on)) for one in CreditOverride.objects.filter(client=client)[:MOST_ROWS]],
    )


@dataclass(frozen=True)
class Deciding:
    """What the policy says today and on what grounds, the decision that holds, earlier ones, checks and proposals."""

    grounds: Grounds | None
    refused: str
    standing: CreditDecision | None
    is_over: bool
    is_so: bool
    earlier: list[CreditDecision]
    checks: list[tuple[CreditCheck, bool]]
    proposals: list[LimitProposal]


def deciding_of(client: Client, on: dt.date) -> Deciding:
    """Beside each check whether it still counts; ``is_so`` where the standing decision is the policy's of today."""
    grounds, refused = None, ""
    try:
        grounds = grounds_of(client, on)
    except Refused as no_policy:
        refused = no_policy.message
    decisions = list(CreditDecision.objects.filter(client=client, decided_on__lte=on).select_related("check_used"))
    standing = decisions[0] if decisions else None
    checks = CreditCheck.objects.filter(client=client).prefetch_related(
        Prefetch("documents", Document.objects.filter(removed_at=None))
    )
    return Deciding(
        grounds, refused, standing, bool(standing and standing.expires_on and standing.expires_on < on),
        bool(standing and grounds and _is_so(standing, grounds)), decisions[1:],
        [(check, check.checked_on <= on <= check.valid_until) for check in checks],
        list(LimitProposal.objects.filter(client=client, outcome="")),
    )  # fmt: skip


def _is_so(standing: CreditDecision, grounds: Grounds) -> bool:
    """Whether deciding by the policy today would decide the same on the same check."""
    return (
        standing.overrides_id is None and standing.expires_on is None and standing.policy_id == grounds.policy.pk
        and standing.outcome == grounds.outcome.outcome and standing.limit == grounds.outcome.limit
        and standing.check_used_id == (grounds.check.pk if grounds.check else None)
    )  # fmt: skip
