"""A book to try things on: what is written here nobody else ever sees, and the real tables cannot be written to.

A connection of its own looks at the book as it is at one moment. On it, temporary tables of the same names lie before
the real ones (a temporary table is found first, on PostgreSQL as on SQLite), filled with the rows that matter. For
the block it is this thread's connection, so the verbs of everyday run unchanged. The database itself refuses a write
to a real table, locks nothing there, and drops everything when the connection closes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

NEW_ROWS_FROM = 10**15  # the rows written here have numbers that no real row has
# Longer than a page may ask, for a book is copied in one statement; but no question outlives the job it is asked for.
LONGEST_QUESTION_S = 240


@dataclass(frozen=True)
class Copy:
    """A table to be written on: which of its rows are there (an SQL condition), and columns too long to copy."""

    model: type[models.Model]
    where: str = "1 = 1"
    params: tuple[Any, ...] = ()
    emptied: tuple[str, ...] = ()


class Book:
    """The book as it is at one moment; every trial on it begins with the same rows."""

    def __init__(self, own: BaseDatabaseWrapper) -> None:
        self.own = own

    @contextmanager
    def trial(self, copies: Sequence[Copy]) -> Iterator[None]:
        """Inside, the tables named can be written to, and no other; at its end all is as it was."""
        with self.own.cursor() as cursor:
            cursor.execute("SAVEPOINT trial")
        try:
            for copy in copies:
                _shadow(self.own, copy)
            _refuse_other_writes(self.own)
            yield
        finally:
            _allow_writes(self.own)
            transaction.set_rollback(False)  # whatever went wrong in the trial is undone with it
            with self.own.cursor() as cursor:
                cursor.execute("ROLLBACK TO SAVEPOINT trial")


@contextmanager
def book_at_this_moment() -> Iterator[Book]:
    """For the block, this thread works on a connection of its own that sees the book as it is now, and keeps nothing.

    Must not begin within a transaction: what that has written would not be seen.
    """
    real = connections[DEFAULT_DB_ALIAS]
    if real.in_atomic_block:
        raise RuntimeError("A trial cannot begin within a transaction.")
    own = real.copy()
    if own.vendor == "sqlite":  # a reader that lets others write
        own.settings_dict["OPTIONS"] = {**own.settings_dict["OPTIONS"], "transaction_mode": "DEFERRED"}
    connections[DEFAULT_DB_ALIAS] = own
    try:
        own.connect()
        _before(own)
        # No savepoint per window: thousands of them in one transaction would make others' questions slower.
        own.features.uses_savepoints = False
        with transaction.atomic():
            if own.vendor == "postgresql":
                with own.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            try:
                yield Book(own)
            finally:
                transaction.set_rollback(True)
    finally:
        connections[DEFAULT_DB_ALIAS] = real
        own.close()


def count_anew(written: Sequence[type[models.Model]]) -> None:
    """Within a trial: let the database count what was written, as by itself it does for everybody's tables alone.

    Without, it takes them for as small as they began, and reads them over and over.
    """
    own = connections[DEFAULT_DB_ALIAS]
    if own.vendor == "postgresql":
        with own.cursor() as cursor:
            cursor.execute("ANALYZE " + ", ".join(_temporary(own, model._meta.db_table) for model in written))


def _before(own: BaseDatabaseWrapper) -> None:
    with own.cursor() as cursor:
        if own.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys = OFF")  # a temporary table cannot refer to a real one
        else:
            cursor.execute(f"SET statement_timeout = '{LONGEST_QUESTION_S}s'; SET temp_buffers = '64MB'")


def _shadow(own: BaseDatabaseWrapper, copy: Copy) -> None:
    """A temporary table of a model's own name, with its keys and indexes, filled with the rows that matter."""
    meta = copy.model._meta
    table, quote = meta.db_table, own.ops.quote_name
    columns = [str(field.column) for field in meta.concrete_fields]
    taken = ["''" if column in copy.emptied else quote(column) for column in columns]
    into, these = f"{_temporary(own, table)} ({', '.join(map(quote, columns))})", ", ".join(taken)
    fill = f"INSERT INTO {into} SELECT {these} FROM {_real(own, table)} WHERE {copy.where}"  # noqa: S608
    with own.cursor() as cursor:
        if own.vendor == "postgresql":
            cursor.execute(f"CREATE TEMPORARY TABLE {quote(table)} (LIKE {_real(own, table)} INCLUDING ALL)")
            cursor.execute(fill, copy.params)
            key = quote(str(meta.pk.column))
            if meta.pk.get_internal_type() in ("AutoField", "BigAutoField"):
                cursor.execute(
                    f"ALTER TABLE {_temporary(own, table)} ALTER COLUMN {key} RESTART WITH {NEW_ROWS_FROM + 1}"
                )
            cursor.execute(f"ANALYZE {_temporary(own, table)}")
            return
        for sql in _sqlite_definitions(cursor, table):
            cursor.execute(sql)
        cursor.execute(fill, copy.params)
        cursor.execute("DELETE FROM temp.sqlite_sequence WHERE name = %s", [table])
        cursor.execute("INSERT INTO temp.sqlite_sequence (name, seq) VALUES (%s, %s)", [table, NEW_ROWS_FROM])


def _sqlite_definitions(cursor: Any, table: str) -> Iterator[str]:
    """How the temporary table and its indexes are made: as the real ones, elsewhere."""
    cursor.execute("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = %s", [table])
    (made,) = cursor.fetchone()
    yield made.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1).replace("%", "%%")
    cursor.execute(
        "SELECT sql FROM main.sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL", [table]
    )
    for (index,) in cursor.fetchall():
        begin, _quote, rest = index.partition('INDEX "')
        yield f'{begin}INDEX temp."{rest}'.replace("%", "%%")


def _real(own: BaseDatabaseWrapper, table: str) -> str:
    if own.vendor == "sqlite":
        return f"main.{own.ops.quote_name(table)}"
    with own.cursor() as cursor:  # where it is found when no temporary table lies before it
        cursor.execute(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = %s AND n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r', 'p')", [table]
        )
        (schema,) = cursor.fetchone()
    return f"{own.ops.quote_name(schema)}.{own.ops.quote_name(table)}"


def _temporary(own: BaseDatabaseWrapper, table: str) -> str:
    return f"{'temp' if own.vendor == 'sqlite' else 'pg_temp'}.{own.ops.quote_name(table)}"


def _refuse_other_writes(own: BaseDatabaseWrapper) -> None:
    """From here on the database refuses whatever would write to a table of everybody's."""
    if own.vendor == "postgresql":
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")  # temporary tables are still written to
        return
    own.connection.set_authorizer(_only_temporary)


def _allow_writes(own: BaseDatabaseWrapper) -> None:
    """On PostgreSQL going back to before the trial does it."""
    if own.vendor == "sqlite" and own.connection is not None:
        own.connection.set_authorizer(None)


_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}


def _only_temporary(action: int, _what: Any, _more: Any, database: Any, _trigger: Any) -> int:
    return sqlite3.SQLITE_DENY if action in _WRITES and database != "temp" else sqlite3.SQLITE_OK


