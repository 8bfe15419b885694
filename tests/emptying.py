"""A test that commits leaves rows behind: the book is given back as the migrations left it, guards and all.

Django's own flush empties every table, then sends post_migrate, which writes every permission and guard again: a
second or two for each test. What is put back here is only what the test changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

from core import guards


@pytest.fixture(autouse=True, scope="session")
def books_are_given_back() -> Iterator[None]:
    """Every test that commits is followed by ``give_back`` in place of Django's flush."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: give_back()
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database as pytest-django makes it, with a copy of what the migrations wrote into it."""
    with django_db_blocker.unblock():
        keep()
    yield
    if _copy is not None:
        _copy.close()


@pytest.fixture(scope="module")
def one_book(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """A transaction around all tests of a module: ``with one_book():`` writes what each of them finds afresh.

    None of the module's tests may want an empty book, or commit.
    """
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
    yield django_db_blocker.unblock
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


_copy: sqlite3.Connection | None = None  # of the whole database, where it is SQLite


def keep() -> None:
    """Copy the fresh database: SQLite whole, into memory; of PostgreSQL the tables with rows, into a schema «kept»."""
    global _copy
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        _copy = sqlite3.connect(":memory:")
        connection.connection.backup(_copy)
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        for table in _with_rows(cursor):
            cursor.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"')


def give_back() -> None:
    """Make the database again what ``keep`` saw; identities go on counting on PostgreSQL."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        assert _copy is not None
        _copy.backup(connection.connection)
    else:
        _give_back_tables()
    if guards.missing():
        guards.install()
    ContentType.objects.clear_cache()


def _give_back_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'kept'")
        kept = {table for (table,) in cursor.fetchall()}
        cursor.execute("BEGIN; SET LOCAL session_replication_role = replica")  # no guard, no reference is asked
        for table in sorted(_with_rows(cursor) | kept):
            cursor.execute(f'DELETE FROM public."{table}"')
            if table in kept:
                cursor.execute(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE TABLE kept."{table}"')
        cursor.execute("COMMIT")


def _with_rows(cursor: Any) -> set[str]:
    asked = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM public.\"{table}\")" for table in _tables(cursor)]
    cursor.execute(" UNION ALL ".join(asked))
    return {table for (table,) in cursor.fetchall()}


def _tables(cursor: Any) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [table for (table,) in cursor.fetchall()]
