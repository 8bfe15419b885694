"""Guards the database itself keeps: rows that are never changed (AppendOnly) or not after a moment (Frozen).

A model declares them in ``guards``; they are installed after every migrate, because SQLite drops
triggers whenever a table is rebuilt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connections


@dataclass(frozen=True)
class AppendOnly:
    """No row is ever changed or removed."""

    name = "append_only"

    def conditions(self, columns: list[str]) -> dict[str, str]:
        return {"update": "", "delete": ""}


@dataclass(frozen=True)
class Frozen:
    """Once ``when`` holds (SQL over the old row, written with ``OLD.``), only ``but`` may change, and nothing goes.

    With ``only``, these columns alone are held, and the row may go.
    """

    when: str
    but: tuple[str, ...] = ()
    name: str = field(default="frozen")
    only: tuple[str, ...] = ()

    def conditions(self, columns: list[str]) -> dict[str, str]:
        kept = [c for c in columns if (c in self.only if self.only else c not in self.but)]
        changed = " OR ".join(f'OLD."{c}" IS DISTINCT FROM NEW."{c}"' for c in kept)
        held = {"update": f"({self.when}) AND ({changed})"}
        return held if self.only else held | {"delete": f"({self.when})"}


def guarded_models() -> list[Any]:
    """Every model that declares guards."""
    return [model for model in apps.get_models() if getattr(model, "guards", ())]


def _statements(model: Any, vendor: str) -> list[tuple[str, str]]:
    table = model._meta.db_table
    columns = [f.column for f in model._meta.concrete_fields]
    made: list[tuple[str, str]] = []
    for guard in model.guards:
        for event, condition in guard.conditions(columns).items():
            name = f"guard_{table}_{guard.name}_{event}"
            said = f"{table}: {guard.name.replace('_', '-')}, no {event}"
            if vendor == "sqlite":
                when = f"WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')}" if condition else ""
                sql = (
                    f'CREATE TRIGGER "{name}" BEFORE {event.upper()} ON "{table}" FOR EACH ROW {when} '
                    f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
                )
            else:
                when = f"WHEN ({condition})" if condition else ""
                sql = (
                    f'CREATE TRIGGER "{name}" BEFORE {event.upper()} ON "{table}" FOR EACH ROW {when} '
                    f"EXECUTE FUNCTION ar_refuse('{said}')"
                )
            made.append((name, sql))
        if vendor == "postgresql":
            name = f"guard_{table}_{guard.name}_truncate"
            made.append(
                (
                    name,
                    f'CREATE TRIGGER "{name}" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT '
                    f"EXECUTE FUNCTION ar_refuse('{table}: {guard.name.replace('_', '-')}, no truncate')",
                )
            )
    return made


REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION ar_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def install(using: str = "default") -> None:
    """(Re)install every guard whose table exists; running it twice changes nothing."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if connection.vendor == "postgresql":
            cursor.execute(REFUSE_FUNCTION)
        for model in guarded_models():
            table = model._meta.db_table
            if table not in tables:
                continue
            have = {c.name for c in connection.introspection.get_table_description(cursor, table)}
            if not {f.column for f in model._meta.concrete_fields} <= have:
                continue  # in the middle of a migration; post_migrate comes again at its end
            for name, sql in _statements(model, connection.vendor):
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on}')
                cursor.execute(sql)


def remove(using: str = "default", only: str | None = None) -> None:
    """Take the guards off (of one table); for tests that plant a violation, and for flushing a test database."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for model in guarded_models():
            table = model._meta.db_table
            if only and table != only:
                continue
            for name, _ in _statements(model, connection.vendor):
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on}')


def missing(using: str = "default") -> list[str]:
    """Names of the guards that should stand in the database and do not."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        have = {row[0] for row in cursor.fetchall()}
    expected = [name for model in guarded_models() for name, _ in _statements(model, connection.vendor)]
    return [name for name in expected if name[:63] not in have and name not in have]


def after_migrate(sender: Any, using: str = "default", **kwargs: Any) -> None:
    """post_migrate receiver of core: the guards stand again after any migration."""
    install(using)
