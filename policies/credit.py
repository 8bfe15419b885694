"""Which credit policy is in force, the one as shipped, and making the next version of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.services import record
from core.errors import Refused
from core.models import Company, as_text
from core.money import currency_codes, is_exact

from .flags import FLAGS, OUTCOMES
from .models import CreditPolicy

FROM_THE_BEGINNING = dt.date(2000, 1, 1)
RISK_CLASSES = ("low", "medium", "high")
SHIPPED: dict[str, Any] = {
    "starting_limit": {"CHF": "5000", "EUR": "5000", "GBP": "4000", "USD": "5000"},
    "flag_outcomes": {
        "insolvency": "decline", "court_record": "prepayment", "payment_default": "prepayment",
        "adverse_press": "stricter", "young_company": "stricter", "no_accounts": "stricter",
        "address_doubtful": "stricter",
    },
    "cash_only_sum": {"CHF": "25000", "EUR": "25000", "GBP": "20000", "USD": "25000"},
    "review_days": {"low": 365, "medium": 90, "high": 30},
    "highest_limit": {"CHF": "50000", "EUR": "50000", "GBP": "40000", "USD": "50000"},
}  # fmt: skip
COPIED = tuple(
    field.name
    for field in CreditPolicy._meta.concrete_fields
    if field.name not in ("id", "company", "effective_from", "made_by", "made_at")
)
SUMS = ("starting_limit", "cash_only_sum", "highest_limit")
PERCENTAGES = (
    "accept_score", "stricter_score", "prepayment_score", "stricter_limit_percent", "deposit_percent",
    "raise_on_time", "cut_on_time", "cut_percent",
)  # fmt: skip


def credit_policy_of(company: Company, on: dt.date) -> CreditPolicy:
    """The version of the company's credit policy in force on a day: the latest that does not begin after it.

    Refused (no_credit_policy) where none has begun yet.
    """
    policy = credit_policy_if_any(company, on)
    if policy is None:
        raise Refused(
            f"{company} has no credit policy in force on {on.isoformat()}; make a version in the admin under “Credit "
            "policies”.",
            code="no_credit_policy",
        )
    return policy


def credit_policy_if_any(company: Company, on: dt.date) -> CreditPolicy | None:
    """What ``credit_policy_of`` finds, or None; without a credit policy nobody's credit is looked after."""
    return CreditPolicy.objects.filter(company=company, effective_from__lte=on).first()


def default_credit_policy(company: Company, by: Any, effective_from: dt.date = FROM_THE_BEGINNING) -> CreditPolicy:
    """The credit policy as shipped; a company that has one keeps it, whatever its day."""
    with transaction.atomic():
        standing = CreditPolicy.objects.filter(company=company).last()
        if standing is not None:
            return standing
        policy = CreditPolicy.objects.create(
            company=company, effective_from=effective_from, made_by=as_text(by), **SHIPPED
        )
        record(by, "credit_policy_made", policy)
    return policy


def new_credit_version(
    old: CreditPolicy, *, effective_from: dt.date, changes: Mapping[str, Any], on: dt.date, by: Any
) -> CreditPolicy:
    """The next version of a credit policy: ``changes`` over the old one.

    Sums are given per currency, {"EUR": "5000"}, in whole units. Refused where the version would begin today or
    earlier or on the day of another one, and where it contradicts itself, naming the field.
    """
    if effective_from <= on:
        raise Refused(
            "A version begins tomorrow at the earliest, so that today stays explained.", where="effective_from"
        )
    unknown = sorted(changes.keys() - set(COPIED))
    if unknown:
        raise Refused(f"A credit policy has no “{unknown[0]}”.", where=unknown[0])
    values = {name: changes.get(name, getattr(old, name)) for name in COPIED}
    check_credit_policy(values)
    policy = CreditPolicy(company=old.company, effective_from=effective_from, made_by=as_text(by), **values)
    try:
        policy.clean_fields(exclude=["flag_outcomes", *SUMS])  # an empty one is allowed: there is no such rule
    except ValidationError as error:
        where, messages = next(iter(error.message_dict.items()))
        raise Refused(" ".join(messages), code="invalid", where=where) from None
    try:
        with transaction.atomic():
            policy.save()
            changed = sorted(name for name in changes if changes[name] != getattr(old, name))
            record(by, "credit_policy_version_made", policy, diff={"from": str(old), "changed": changed})
    except IntegrityError:
        raise Refused(
            f"There already is a credit policy from {effective_from.isoformat()}; choose another day.",
            where="effective_from",
        ) from None
    return policy


def check_credit_policy(values: Mapping[str, Any]) -> None:
    """Refuse a credit policy that contradicts itself: scores out of order, sums that are none, unknown flags."""
    for name in SUMS:
        for currency, amount in values[name].items():
            _check_sum(name, currency, amount)
    for name in PERCENTAGES:
        if values[name] > 100:
            raise Refused("A percentage here is at most 100.", where=name)
    if not values["accept_score"] >= values["stricter_score"] >= values["prepayment_score"]:
        raise Refused(
            "The scores must fall from accept over stricter terms to prepayment; otherwise one of them never applies.",
            where="stricter_score",
        )
    if not values["raise_on_time"] > values["cut_on_time"]:
        raise Refused("A limit would grow and shrink at once: let it grow from a higher share.", where="cut_on_time")
    if not values["cash_only_days"] > values["watch_days"]:
        raise Refused("Watch begins before cash-only; give it fewer days.", where="watch_days")
    for name in ("check_valid_days", "stricter_days", "cut_days_late"):
        if values[name] < 1:
            raise Refused("Give one day or more.", where=name)
    known_flags, known_outcomes = dict(FLAGS), dict(OUTCOMES)
    for flag, outcome in values["flag_outcomes"].items():
        if flag not in known_flags or outcome not in known_outcomes:
            raise Refused(f"“{flag}: {outcome}” is not a flag and what it leads to.", where="flag_outcomes")
    days = values["review_days"]
    if set(days) != set(RISK_CLASSES) or not all(isinstance(n, int) and n >= 1 for n in days.values()):
        raise Refused("Give the days between two reviews for low, medium and high risk.", where="review_days")


def _check_sum(name: str, currency: str, amount: Any) -> None:
    try:
        good = currency in currency_codes() and Decimal(amount) >= 0 and is_exact(Decimal(amount), currency)
    except (InvalidOperation, TypeError, ValueError):
        good = False
    if not good:
        raise Refused(f"“{currency} {amount}” is not a currency and a sum of zero or more.", where=name)
