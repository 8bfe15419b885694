"""A company begins: with its bank account, its ways to pay, its terms and the policy it behaves by, all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from audit.services import record
from core.errors import Refused
from core.models import BankAccount, Company, PaymentMethod
from core.money import currency_codes
from core.roles import make_roles

from .credit import default_credit_policy
from .models import Terms
from .occasions import seed_occasions
from .services import default_policy, use_policy
from .services.guard_rails import seed_guard_rails

ALL_METHODS = ("transfer", "cheque", "cash")


def found_company(
    company: Mapping[str, Any], bank: Mapping[str, Any], *, net_days: int, late_percent: Decimal, by: Any,
    methods: Sequence[str] | Mapping[str, str] = ALL_METHODS, terms_name: str = "",
) -> Company:
    """Set up a company ready to invoice: default terms of ``net_days``, the standard policies, three ways to pay.

    ``late_percent`` is per year; ``methods`` may carry instructions by kind. Refused for whatever a field does
    not accept, naming it.
    """
    if company.get("currency") not in currency_codes():
        raise Refused("This is not a currency; write EUR, USD or another code.", where="currency")
    with transaction.atomic():
        founded = _saved(Company(**company))
        account = {"currency": founded.currency, "holder": founded.legal_name} | dict(bank)
        _saved(BankAccount(company=founded, **account))
        instructions = methods if isinstance(methods, Mapping) else dict.fromkeys(methods, "")
        for kind, words in instructions.items():
            _saved(PaymentMethod(company=founded, kind=kind, instructions=words))
        _saved(
            Terms(
                company=founded, name=terms_name or f"{net_days} days", net_days=net_days, late_percent=late_percent,
                is_default=True,
            )
        )
        default_policy(by, effective_from=dt.date(2000, 1, 1))
        use_policy(founded, "standard", by)
        default_credit_policy(founded, by)
        seed_occasions(founded, by)
        seed_guard_rails(by)
        make_roles()
        record(by, "company_founded", founded, summary=founded.name)
    return founded


def begin_company(code: str, currency: str, by: Any) -> Company:
    """A company of which no more is known than its code, so that a book can be taken over before it is set up.

    It has terms of 30 days without interest and the standard policies; its name, address and bank account are to be
    entered before anything is issued.
    """
    with transaction.atomic():
        begun = Company.objects.create(code=code, name=code.upper(), legal_name=code.upper(), currency=currency)
        Terms.objects.create(company=begun, name="30 days", net_days=30, is_default=True)
        default_policy(by)
        use_policy(begun, "standard", by)
        default_credit_policy(begun, by)
        seed_occasions(begun, by)
        seed_guard_rails(by)
        make_roles()
        record(by, "company_begun", begun, summary=code)
    return begun


M = TypeVar("M", bound=Model)


def _saved(row: M) -> M:
    try:
        row.full_clean()
    except ValidationError as error:
        where, messages = next(iter(error.message_dict.items()))
        raise Refused(" ".join(messages), code="invalid", where="" if where == "__all__" else where) from None
    row.save()
    return row
