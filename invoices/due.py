"""What is due of invoices, as columns of a query: an invoice in parts owes what of them is due, any other its balance.

Each is one CASE: an ordinary invoice pays a comparison for it, and asks its parts nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import DateField, F, Func, PositiveSmallIntegerField
from django.db.models.expressions import Combinable

from core.fields import MoneyField

_PARTS = "invoices_invoicepart"


class _OfParts(Func):
    """An expression over one invoice: ``in_parts``, its id, and what else it needs, in that order."""

    def __init__(self, *others: Combinable | str, prefix: str = "", **extra: Any) -> None:
        super().__init__(F(f"{prefix}in_parts"), F(f"{prefix}pk"), *others, **extra)

    def _compiled(self, compiler: Any) -> list[tuple[str, list[Any]]]:
        return [(sql, list(params)) for sql, params in map(compiler.compile, self.source_expressions)]


class DueNow(_OfParts):
    """What of ``whole`` may be asked for on a day: what was due before it, and the part that is due next.

    Later parts are left out until their own day is over, as an ordinary invoice is overdue from the day after.
    """

    output_field = MoneyField()

    def __init__(self, on: dt.date, whole: Any = "balance", due: Any = "due_on", prefix: str = "", **extra: Any):
        super().__init__(_named(whole, prefix), _named(due, prefix), prefix=prefix, **extra)
        self.on = on

    def as_sql(self, compiler: Any, connection: Any, **_extra: Any) -> Any:  # type: ignore[override]
        (split, split_p), (pk, pk_p), (whole, whole_p), (due, due_p) = self._compiled(compiler)
        later = (
            f"CAST(COALESCE((SELECT SUM(p.amount) FROM {_PARTS} p WHERE p.invoice_id = {pk} "  # noqa: S608
            f"AND p.due_on > {due} AND p.due_on >= %s), 0) AS bigint)"
        )
        params = [*split_p, *whole_p, *pk_p, *due_p, connection.ops.adapt_datefield_value(self.on), *whole_p]
        return f"CASE WHEN {split} THEN {whole} - {later} ELSE {whole} END", params


class Overdue(_OfParts):
    """What of the balance was due before a day, and is owed still; nothing of what is due later."""

    output_field = MoneyField()

    def __init__(self, on: dt.date, prefix: str = "", **extra: Any) -> None:
        super().__init__(F(f"{prefix}balance"), F(f"{prefix}due_on"), prefix=prefix, **extra)
        self.on = on

    def as_sql(self, compiler: Any, connection: Any, **_extra: Any) -> Any:  # type: ignore[override]
        (split, split_p), (pk, pk_p), (balance, balance_p), (due, due_p) = self._compiled(compiler)
        on = connection.ops.adapt_datefield_value(self.on)
        later = (
            f"CAST(COALESCE((SELECT SUM(p.amount) FROM {_PARTS} p WHERE p.invoice_id = {pk} "  # noqa: S608
            "AND p.due_on >= %s), 0) AS bigint)"
        )
        return (
            f"CASE WHEN {due} >= %s THEN 0 WHEN {split} THEN {balance} - {later} ELSE {balance} END",
            [*due_p, on, *split_p, *balance_p, *pk_p, on, *balance_p],
        )


class DueDay(_OfParts):
    """The due day when ``whole`` was owed: that of the earliest part that money had not covered by then."""

    output_field = DateField()

    def __init__(self, whole: Any, **extra: Any) -> None:
        super().__init__(whole, F("due_on"), **extra)

    def as_sql(self, compiler: Any, connection: Any, **_extra: Any) -> Any:  # type: ignore[override]
        (split, split_p), (pk, pk_p), (whole, whole_p), (due, due_p) = self._compiled(compiler)
        first_open = (
            f"SELECT MIN(p.due_on) FROM {_PARTS} p WHERE p.invoice_id = {pk} AND {whole} > "  # noqa: S608
            f"COALESCE((SELECT SUM(q.amount) FROM {_PARTS} q WHERE q.invoice_id = p.invoice_id "
            "AND q.position > p.position), 0)"
        )
        return (
            f"CASE WHEN {split} THEN COALESCE(({first_open}), {due}) ELSE {due} END",
            [*split_p, *pk_p, *whole_p, *due_p, *due_p],
        )


class PartNow(_OfParts):
    """The place of the part that is due on ``due``, 1 for an ordinary invoice: the ladder is climbed once per part."""

    output_field = PositiveSmallIntegerField()

    def __init__(self, due: Any = "due_on", **extra: Any) -> None:
        super().__init__(_named(due, ""), **extra)

    def as_sql(self, compiler: Any, connection: Any, **_extra: Any) -> Any:  # type: ignore[override]
        (split, split_p), (pk, pk_p), (due, due_p) = self._compiled(compiler)
        place = f"SELECT MIN(p.position) FROM {_PARTS} p WHERE p.invoice_id = {pk} AND p.due_on = {due}"  # noqa: S608
        return f"CASE WHEN {split} THEN ({place}) ELSE 1 END", [*split_p, *pk_p, *due_p]


def _named(expression: Any, prefix: str) -> Any:
    return F(f"{prefix}{expression}") if isinstance(expression, str) else expression
