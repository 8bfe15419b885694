"""What the decision asks the database for, as expressions of a query: places on a ladder, sums of an account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import BooleanField, F, Func, IntegerField, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from core.fields import MoneyField
from invoices.models import Entry

NO_AMOUNT = Value(Decimal(0), output_field=MoneyField())
ROUND = 1000  # so that place and round of a step are compared, and fetched, as one number
SCALE = 10**6  # so that messages, calls and reviews are fetched as one number, in that order
KIND_OF = (f"so_far / {SCALE * SCALE}", f"so_far / {SCALE} %% {SCALE}", f"so_far %% {SCALE}")


class _ByPolicy(Func):
    """An expression that is another for each policy; its last argument names the policy of the row."""

    def _choose(self, column: str, params: Sequence[Any], by_name: Mapping[str, tuple[str, list[Any]]]) -> Any:
        """One case per policy, and the first where the name is none of theirs; nothing is asked where all are alike."""
        usual, *others = by_name.items()
        different = [(name, found) for name, found in others if found != usual[1]]
        if not different:
            return usual[1]
        whens = " ".join(f"WHEN %s THEN {sql}" for _name, (sql, _values) in different)
        values = [value for name, (_sql, its) in different for value in (name, *its)]
        return f"CASE {column} {whens} ELSE {usual[1][0]} END", [*params, *values, *usual[1][1]]


class ScoreOf(_ByPolicy):
    """A step and its round as one number by its place on the ladder; nothing for a step that is not among ``places``.

    One short expression where a Case of Whens takes long to compile.
    """

    output_field = IntegerField()

    def __init__(self, *expressions: Any, places: Mapping[str, Mapping[str, int]], **extra: Any) -> None:
        super().__init__(*expressions, **extra)
        self.places = places

    def as_sql(
        self, compiler: Any, connection: Any, function: Any = None, template: Any = None, arg_joiner: Any = None,
        **extra_context: Any,
    ) -> Any:
        (step, its), (cycle, _none), (policy, params) = (compiler.compile(one) for one in self.source_expressions)
        by_name: dict[str, tuple[str, list[Any]]] = {}
        for name, places in self.places.items():
            whens = " ".join(f"WHEN %s THEN {(place + 1) * ROUND} + {cycle}" for place in places.values())
            by_name[name] = (f"CASE {step} {whens} END", [*its, *places]) if places else ("NULL", [])
        sql, values = self._choose(policy, params, by_name)
        return f"CAST({sql} AS bigint)", values


class Reached(NamedTuple):
    """From which day back a step is reached, how that scores, and after how many days each its rounds come."""

    since: dt.date
    score: int
    every: int | None


class Behind(_ByPolicy):
    """Whether an item has reached more, of any kind, by the day the ladder counts from, than what it was served with.

    ``reached``, per policy and kind: its steps from the latest day back.
    """

    output_field = BooleanField()

    def __init__(self, *expressions: Any, reached: Mapping[str, Sequence[Sequence[Reached]]], **extra: Any):
        super().__init__(*expressions, **extra)
        self.reached = reached

    def as_sql(
        self, compiler: Any, connection: Any, function: Any = None, template: Any = None, arg_joiner: Any = None,
        **extra_context: Any,
    ) -> Any:
        (so_far, its), (day, days), (policy, params) = (compiler.compile(one) for one in self.source_expressions)
        tests, values = [], []
        for kind in range(len(next(iter(self.reached.values())))):
            scores = {name: self._score(day, days, kinds[kind], connection) for name, kinds in self.reached.items()}
            sql, given = self._choose(policy, params, scores)
            tests.append(f"{KIND_OF[kind]} < {sql}")
            values += given
        # The limit keeps the sum from being worked out once for each time it is named.
        sql = f"(SELECT {' OR '.join(tests)} FROM (SELECT {so_far} AS so_far LIMIT 1) AS one)"  # noqa: S608
        return sql, [*values, *its]

    @staticmethod
    def _score(day: str, days: Sequence[Any], steps: Sequence[Reached], connection: Any) -> tuple[str, list[Any]]:
        since = "(%s - {})" if connection.vendor == "postgresql" else "CAST(julianday(%s) - julianday({}) AS integer)"
        whens: list[str] = []
        values: list[Any] = []
        below, its, furthest = "0", list[Any](), 0
        for step in steps:
            from_on = connection.ops.adapt_datefield_value(step.since)
            whens.append(f"WHEN {day} > %s THEN {below}")
            values += [*days, from_on, *its]
            if step.score > furthest:
                below, its, furthest = str(step.score), [], step.score
                if step.every:
                    below, its = f"{step.score} + {since.format(day)} / {step.every}", [from_on, *days]
        return (f"CASE {' '.join(whens)} ELSE {below} END", [*values, *its]) if whens else ("0", [])


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
