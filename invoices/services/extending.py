"""More time to pay an invoice: a later pay-by date that both sides agreed on, and what it does to late interest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from clients.services import lock_client
from core.dates import add_months, show_day
from core.errors import Refused
from core.models import as_text
from core.money import plain
from core.permissions import may
from invoices.models import Extension, Invoice
from invoices.rates import MissingRate

from .charging import accrued

LONGEST_MONTHS = 12


def agree_extension(
    invoice: Invoice, until_on: dt.date, *, interest: str, reason: str, on: dt.date, by: Any
) -> Extension:
    """The client may pay by a later day; the due date stays, and ``interest`` says what the days between cost.

    «runs»: interest runs on; «pauses»: none from today to the new day; «moves»: none before the day after it.
    Refused for a day that is not later than the due date and the day agreed before, or more than a year off, on an
    invoice that is not open, without a reason, and where interest that was earned already would be given up by
    somebody who may not waive it.
    """
    if interest not in dict(Extension.INTEREST):
        raise Refused(_("Choose what happens to late interest."), code="interest", where="interest")
    if not reason.strip():
        raise Refused(_("Write why more time is given."), code="reason", where="reason")
    with transaction.atomic():
        lock_client(invoice.client_id)
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("client").get(pk=invoice.pk)
        if invoice.issued_at is None or invoice.voided_at is not None or invoice.due_on is None:
            raise Refused(_("Only an issued invoice can be given more time."), code="not_issued")
        if invoice.balance == 0:
            raise Refused(_("Nothing is owed on this invoice; it needs no more time."), code="settled")
        standing = extension_of(invoice, on)
        _check_day(until_on, invoice.due_on, standing, on)
        given_up = _given_up(invoice, interest, on, by)
        agreed = Extension.objects.create(
            invoice=invoice, until_on=until_on, interest=interest, reason=reason.strip()[:300], agreed_on=on,
            agreed_by=as_text(by)[:150],
        )
        record(
            by, "extension_agreed", agreed, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
            summary=f"{invoice}: until {until_on}, interest {interest}{given_up and f', {given_up} given up'}",
        )
    return agreed


def withdraw_extension(agreed: Extension, *, on: dt.date, by: Any) -> Extension:
    """The later day no longer holds; what held until yesterday stays as it was. Withdrawing twice changes nothing."""
    with transaction.atomic():
        lock_client(agreed.invoice.client_id)
        agreed = Extension.objects.select_for_update(of=("self",)).select_related("invoice").get(pk=agreed.pk)
        if agreed.withdrawn_on is None:
            agreed.withdrawn_on = max(on, agreed.agreed_on)
            agreed.withdrawn_by = as_text(by)[:150]
            agreed.save(update_fields=["withdrawn_on", "withdrawn_by"])
            record(
                by, "extension_withdrawn", agreed, client_id=agreed.invoice.client_id,
                doc=f"invoice:{agreed.invoice_id}", summary=f"{agreed.invoice}: until {agreed.until_on}",
            )
    return agreed


def extension_of(invoice: Invoice, on: dt.date) -> Extension | None:
    """The latest day to pay that is agreed on an invoice and still to come (or today); None where there is none."""
    return extensions_of([invoice], on).get(invoice.pk)


def extensions_of(invoices: Iterable[Invoice], on: dt.date) -> dict[int, Extension]:
    """The same for many invoices, by id, in one query."""
    ids = [invoice.pk for invoice in invoices if invoice.pk]
    rows = Extension.objects.running_on(on).filter(invoice__in=ids).order_by("until_on", "pk") if ids else ()
    return {row.invoice_id: row for row in rows}


def interest_sentence(interest: str, until_on: dt.date, on: dt.date, language: str) -> str:
    """What more time does to late interest, as one sentence for whoever agrees to it."""
    days = {"day": show_day(until_on, language), "today": show_day(on, language)}
    return {
        "runs": _("Late interest runs on as before: paying by %(day)s stops the reminders, not the interest.") % days,
        "pauses": _("From %(today)s to %(day)s no late interest is earned; what was earned before stays.") % days,
        "moves": _("Late interest starts after %(day)s only; what was charged for earlier days is taken back.") % days,
    }[interest]


def _given_up(invoice: Invoice, interest: str, on: dt.date, by: Any) -> str:
    """The interest, charged or still to be, that was earned by today and would not be owed; empty where there is none.

    That is waiving it, whatever it is called: refused without the permission.
    """
    if interest != "moves":
        return ""
    try:
        said = accrued(invoice, on)
    except MissingRate as missing:  # earned, though nobody can say how much
        given_up = missing.message
    else:
        earned = said.interest.total - said.noted
        given_up = f"{plain(earned, invoice.currency)} {invoice.currency}" if earned > 0 else ""
    if given_up and not may(by, "invoices.waive_charge"):
        raise Refused(
            _("Interest is earned already (%(sum)s), and you may not give it up: let it run on or pause, or ask "
              "somebody who may waive it.") % {"sum": given_up},
            code="permission", where="interest",
        )  # fmt: skip
    return given_up


def _check_day(until_on: dt.date, due_on: dt.date, standing: Extension | None, on: dt.date) -> None:
    if until_on <= due_on:
        raise Refused(
            _("The invoice is due on %(day)s; choose a later day.") % {"day": due_on}, code="before_due",
            where="until_on",
        )
    if standing is not None and until_on <= standing.until_on:
        raise Refused(
            _("%(day)s is agreed already; choose a later day, or withdraw that agreement first.")
            % {"day": standing.until_on}, code="before_agreed", where="until_on",
        )
    if until_on < on:
        raise Refused(_("Choose today or a later day."), code="past", where="until_on")
    if until_on > add_months(on, LONGEST_MONTHS):
        raise Refused(
            _("More than a year is too far off; agree on a plan instead."), code="too_far", where="until_on"
        )
