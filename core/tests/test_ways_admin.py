"""What an administrator may write about accounts and ways to pay: nothing a client could not pay with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from core.models import BankAccount, PaymentMethod

DOLLARS = {"currency": "USD", "holder": "L", "account_number": "000123456789", "routing_number": "021000021"}
EUROS = {"currency": "EUR", "holder": "L", "iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX"}


def test_true_details_pass() -> None:
    BankAccount(**DOLLARS).clean()
    account = BankAccount(**EUROS)
    account.clean()
    assert account.iban == "DE89370400440532013000"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (EUROS | {"iban": "DE89370400440532013001"}, "iban"), (EUROS | {"bic": "COBA"}, "bic"),
        (DOLLARS | {"routing_number": "021000022"}, "routing_number"),
        (DOLLARS | {"routing_number": "2100002"}, "routing_number"),
        (DOLLARS | {"routing_number": ""}, "routing_number"),
    ],
)
def test_a_false_account_is_refused_at_its_field(facts: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BankAccount(**facts).clean()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"kind": "card"}, "provider"), ({"kind": "card", "provider": "stripe"}, "provider"),
        ({"kind": "cash", "provider": "sandbox"}, "provider"), ({"kind": "cash", "currency": "euro"}, "currency"),
        ({"kind": "cash", "largest": Decimal(500)}, "currency"),
        ({"kind": "cash", "currency": "EUR", "smallest": Decimal(9), "largest": Decimal(8)}, "largest"),
    ],
)
def test_a_way_that_cannot_work_is_refused_at_its_field(settings: Any, facts: dict[str, Any], field: str) -> None:
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    with pytest.raises(ValidationError) as refused:
        PaymentMethod(**facts).clean()
    assert list(refused.value.message_dict) == [field]


def test_ways_that_work_pass(settings: Any) -> None:
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    PaymentMethod(kind="card", provider="sandbox").clean()
    PaymentMethod(kind="cash", currency="EUR", largest=Decimal(500)).clean()
