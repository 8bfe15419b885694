"""What must always be true of the books, as questions to the database; each app lists its own, check_ledger asks them.

The one place that runs SQL written by hand: an invariant is a plain aggregate that reads the tables as they stand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from . import guards

Find = Callable[[dt.datetime], Iterable[Any]]


@dataclass(frozen=True)
class Invariant:
    """A rule under its code; ``find`` answers the ids of what breaks it at an instant, ``fast`` ones run often."""

    code: str
    says: str
    find: Find
    fast: bool = False


def sql(code: str, says: str, statement: str, params: Sequence[Any] = (), *, fast: bool = False) -> Invariant:
    """An invariant whose violations are the first column of a SELECT; it must read the same on both databases."""
    return Invariant(code, says, lambda now: ids(statement, params), fast)


def ids(statement: str, params: Sequence[Any] = ()) -> list[Any]:
    """The first column of what a SELECT finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [row[0] for row in cursor.fetchall()]


@contextmanager
def one_view_of_the_books() -> Iterator[None]:
    """All questions see the books of one moment, and nobody who writes has to wait for them."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield


def unguarded(now: dt.datetime) -> list[str]:
    """Guards that are missing or not as they were made; on SQLite also the setting without which they can be passed."""
    found = [*guards.missing(), *_altered()]
    if connection.vendor == "sqlite" and ids("PRAGMA recursive_triggers") != [1]:
        found.append("recursive_triggers")
    return found


def _altered() -> list[str]:
    """Guards that bear the right name and do something else."""
    expected = dict(pair for model in guards.guarded_models() for pair in guards._statements(model, connection.vendor))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            have = dict(cursor.fetchall())
        return [name for name, made in expected.items() if name in have and have[name].strip() != made.strip()]
    return ids(
        "SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE t.tgname LIKE 'guard\\_%%' AND NOT t.tgisinternal"
        " AND (p.proname <> 'ar_refuse' OR p.prosrc NOT LIKE '%%RAISE EXCEPTION%%')"
    )


INVARIANTS = [
    Invariant("L14", "what was posted cannot be changed: every guard stands as it was made", unguarded, fast=True),
]
