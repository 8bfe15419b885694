"""What money received goes to first: by default to the invoices, by some rules to their interest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from clients.models import Client
from invoices.models import Invoice
from invoices.rates import MissingRate
from policies.models import InterestRule

from .bearing import Policies
from .posting import charge_interest


def interest_goes_first(invoices: Iterable[Invoice], on: dt.date | None, policies: Policies | None = None) -> set[int]:
    """The ids of the invoices whose rule, on the day money came in, puts it to interest and costs before the invoice.

    No shipped rule does: one query where no version of a rule says so.
    """
    asked = list(invoices)
    if on is None or not asked or not InterestRule.objects.filter(first="interest").exists():
        return set()
    known = policies or Policies()
    return {invoice.pk for invoice in asked if known.rule(invoice, on).first == "interest"}


def charge_what_goes_first(client: Client, currency: str, on: dt.date, by: Any) -> None:
    """Before money is put to what is owed: post the interest earned by that day where it is to be paid first.

    Not where the policy only notes interest, and not where a rate is missing: money is recorded all the same.
    """
    policies = Policies()
    open_ones = Invoice.objects.open().of(client).filter(currency=currency, due_on__lt=on)
    late = list(open_ones.select_related("client__segment", "intake").order_by("due_on", "pk"))
    first = interest_goes_first(late, on, policies)
    for invoice in (one for one in late if one.pk in first):
        version = policies.in_force(invoice, on)
        if version is None or version.interest_posted == "noted":
            continue
        try:
            charge_interest(invoice, until=on, on=on, by=by, policies=policies)
        except MissingRate:
            continue
