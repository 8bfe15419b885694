"""What the desk shows of recurring invoices: how often in words, the next days, what each comes to."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.models import Company
from invoices.models import RecurringInvoice, RecurringRun
from invoices.services.recurring import Coming, coming, lines_of, totals_of_schedule
from invoices.totals import Totals


@dataclass(frozen=True)
class Row:
    """One recurring invoice on the list: what it is, the next days, and what each invoice comes to."""

    recurring: RecurringInvoice
    words: str
    state: str
    days: list[Coming]
    totals: Totals

    @property
    def next(self) -> Coming | None:
        """The next day that is not left out."""
        return next((day for day in self.days if not day.skipped), None)


def rows_of(found: Sequence[RecurringInvoice], on: dt.date, n: int) -> list[Row]:
    """The rows with their next ``n`` days; three questions however many rows."""
    runs: dict[int, dict[dt.date, RecurringRun]] = defaultdict(dict)
    for run in RecurringRun.objects.filter(recurring__in=[one.pk for one in found]).filter(
        Q(on__gte=on) | Q(invoice=None)
    ):
        runs[run.recurring_id][run.on] = run
    return [row_of(one, runs[one.pk], on, n) for one in found]


def row_of(one: RecurringInvoice, runs: dict[dt.date, RecurringRun], on: dt.date, n: int) -> Row:
    days = coming(one, runs, on, n)
    state = "paused" if one.paused_at else "running" if days else "ended"
    return Row(one, rule_words(one), state, days, totals_of_schedule(one.client, one.currency, lines_of(one)))


def rule_words(one: RecurringInvoice) -> str:
    """How often it comes, in words."""
    n = {"n": one.every}
    if one.unit == "week":
        return ngettext("every week", "every %(n)d weeks", one.every) % n
    if one.unit == "year":
        return ngettext("every year", "every %(n)d years", one.every) % n
    if one.every == 3:
        return _("every quarter")
    return ngettext("every month", "every %(n)d months", one.every) % n


def stuck_of(company: Company) -> list[RecurringRun]:
    """The days that a person has to look at, the oldest first."""
    rows = RecurringRun.objects.stuck().filter(recurring__company=company).order_by("on", "pk")
    return list(rows.select_related("recurring__client", "invoice"))
