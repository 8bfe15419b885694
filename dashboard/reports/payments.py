"""What the pages about payments read: what came in, where it went, and what of it is not put to anything yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import ExpressionWrapper, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from core.fields import MoneyField
from core.models import Company
from payments.models import Allocation, Payment, Refund

NOTHING = Value(Decimal(0), output_field=MoneyField())


def payments_of(company: Company) -> QuerySet[Any]:
    """The company's payments that stand: ``used`` is put to claims, ``gone`` was given back, ``left`` is neither."""
    standing = Allocation.objects.standing().filter(payment=OuterRef("pk")).order_by().values("payment")
    used = Coalesce(Subquery(standing.annotate(s=Sum("amount")).values("s")), NOTHING)
    back = Refund.objects.standing().filter(payment=OuterRef("pk")).order_by().values("payment")
    gone = Coalesce(Subquery(back.annotate(s=Sum("amount")).values("s")), NOTHING)
    left = ExpressionWrapper(F("amount") - F("used") - F("gone"), output_field=MoneyField())
    rows = Payment.objects.standing().filter(company=company)
    return rows.annotate(used=used, gone=gone).annotate(left=left)


def taken_back_of(company: Company) -> QuerySet[Any]:
    """The company's payments that were recorded wrongly and taken back: nothing of them is used or left."""
    return Payment.objects.taken_back().filter(company=company).annotate(used=NOTHING, left=NOTHING)


def application(payment: Any) -> str:
    """How far a payment is put to claims, as a state; ``payment`` comes from ``payments_of``."""
    if not payment.used:
        return "unapplied" if payment.left else "taken_back"
    return "part_applied" if payment.left else "applied"
