"""What the decision asks the database for, as expressions of a query: places on a ladder, sums of an account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Func, IntegerField, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from core.fields import MoneyField
from invoices.models import Entry

NO_AMOUNT = Value(Decimal(0), output_field=MoneyField())
ROUND = 1000  # so that place and round of a step are compared, and fetched, as one number


class PlaceOf(Func):
    """A column's code as its place on the ladder; one short expression where a Case of Whens takes long to compile."""

    output_field = IntegerField()

    def __init__(self, column: Any, places: Mapping[str, int], **extra: Any) -> None:
        super().__init__(F(column) if isinstance(column, str) else column, **extra)
        self.places = places

    def as_sql(
        self, compiler: Any, connection: Any, function: Any = None, template: Any = None, arg_joiner: Any = None,
        **extra_context: Any,
    ) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        whens = " ".join(f"WHEN %s THEN {(place + 1) * ROUND}" for place in self.places.values())
        return f"CASE {column} {whens} ELSE 0 END", [*params, *self.places]


class ReachedBy(Func):
    """The score of the furthest step reached by the day the ladder counts from: ``scores`` say from which day back."""

    output_field = IntegerField()

    def __init__(self, scores: Sequence[tuple[dt.date, int]], **extra: Any) -> None:
        super().__init__(F("ladder_day"), **extra)
        self.scores = scores

    def as_sql(
        self, compiler: Any, connection: Any, function: Any = None, template: Any = None, arg_joiner: Any = None,
        **extra_context: Any,
    ) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        found: list[str] = []
        values: list[Any] = []
        below = 0
        for day, score in self.scores:
            found.append(f"WHEN {column} > %s THEN {below}")
            values += [*params, connection.ops.adapt_datefield_value(day)]
            below = max(below, score)
        return (f"CASE {' '.join(found)} ELSE {below} END", values) if found else ("0", [])


class SignedFor(Func):
    """The amount of an entry as the account sees it: a debit adds, a credit takes off."""

    output_field = MoneyField()

    def __init__(self, account: str, **extra: Any) -> None:
        super().__init__(F("dr"), F("amount"), **extra)
        self.account = account

    def as_sql(
        self, compiler: Any, connection: Any, function: Any = None, template: Any = None, arg_joiner: Any = None,
        **extra_context: Any,
    ) -> Any:
        (dr, _none), (amount, _none) = (compiler.compile(source) for source in self.source_expressions)
        return f"CASE WHEN {dr} = %s THEN {amount} ELSE -{amount} END", [self.account]


class ShareOf(Func):
    """How much of a checkout is for the invoice of an id; nothing where it is for others."""

    output_field = MoneyField()

    def __init__(self, invoice: Any, **extra: Any) -> None:
        super().__init__(F("split"), Concat(Value("invoice:"), Cast(invoice, TextField())), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        template = "CAST(ROUND(json_extract(%(expressions)s || '\"') * 10000) AS INTEGER)"
        return self.as_sql(compiler, connection, arg_joiner=", '$.\"' || ", template=template)

    def as_postgresql(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        template = "CAST(CAST(%(expressions)s AS numeric) * 10000 AS bigint)"
        return self.as_sql(compiler, connection, arg_joiner=" ->> ", template=template)


def balance_of(entries: QuerySet[Entry], account: str, per: str) -> Coalesce:
    """Debits less credits of an account over entries, as a subquery of the row outside."""
    rows = of_account(entries, account).order_by().values(per).annotate(s=Sum(SignedFor(account))).values("s")
    return Coalesce(Subquery(rows, output_field=MoneyField()), NO_AMOUNT)


def of_account(entries: QuerySet[Entry], account: str) -> QuerySet[Entry]:
    """Entries that debit or credit an account."""
    return entries.filter(Q(dr=account) | Q(cr=account))
