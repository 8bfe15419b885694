"""Many rows at once, for what is done by the ten thousand: columns go to the database, no objects are made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db import connections, models, router
from django.utils import timezone

AT_ONCE = 10_000  # rows of one statement


def within(field: str, numbers: Collection[int]) -> models.Q:
    """That a field is one of the numbers. A range of them stays one: a list of a thousand takes long to write down.

    >>> within("client", range(3, 9)), within("client", [3, 5])
    (<Q: (AND: ('client__gte', 3), ('client__lt', 9))>, <Q: (AND: ('client__in', [3, 5]))>)
    """
    if isinstance(numbers, range):
        return models.Q(**{f"{field}__gte": numbers.start}) & models.Q(**{f"{field}__lt": numbers.stop})
    return models.Q(**{f"{field}__in": numbers})


def insert_columns(
    model: type[models.Model], columns: Mapping[str, Sequence[Any] | Any], returning: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """Insert rows given column by column; a row whose key is there already changes nothing.

    A list has a value for every row, anything else is the same in all of them; what is not given is the field's own
    default. Answers with the columns ``returning`` of the rows that are new. On PostgreSQL the lists travel as arrays,
    which costs a quarter of what rows of values do.
    """
    connection = connections[router.db_for_write(model)]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    same = {name: _default(f) for name, f in fields.items() if not f.primary_key and name not in columns}
    same |= {name: given for name, given in columns.items() if not isinstance(given, list)}
    lists = {name: given for name, given in columns.items() if isinstance(given, list)}
    quote, is_postgresql = connection.ops.quote_name, connection.vendor == "postgresql"
    constants = [fields[name].get_db_prep_save(given, connection) for name, given in same.items()]
    marks = [f"CAST(%s AS {_kind_of(fields[name], connection)})" if is_postgresql else "%s" for name in same]
    into = ", ".join(quote(str(fields[name].column)) for name in (*same, *lists))
    answer = ", ".join(quote(str(fields[name].column)) for name in returning)
    most = connection.features.max_query_params
    at_once = min(AT_ONCE, (most - len(constants)) // len(lists)) if most else AT_ONCE
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(next(iter(lists.values()))), at_once):
            some = {fields[name]: given[start : start + at_once] for name, given in lists.items()}
            each, source, given = (_unnested if is_postgresql else _listed)(some, connection)
            cursor.execute(
                f"INSERT INTO {quote(model._meta.db_table)} ({into}) SELECT {', '.join([*marks, *each])} "  # noqa: S608
                f"FROM {source} WHERE true ON CONFLICT DO NOTHING" + (f" RETURNING {answer}" if answer else ""),
                [*constants, *given],
            )
            found += cursor.fetchall() if answer else []
    return found


_Columns = Mapping[Any, Sequence[Any]]  # the values of fields


def _kind_of(field: Any, connection: Any) -> str:
    """What a value is cast to: text where the column has a length, so that what is too long is refused, not cut off."""
    kind = str(field.db_type(connection))
    return "text" if kind.startswith("varchar") else kind


def _unnested(lists: _Columns, connection: Any) -> tuple[list[str], str, list[str]]:
    """As arrays of PostgreSQL."""
    names = [f"c{n}" for n in range(len(lists))]
    arrays = ", ".join(f"CAST(%s AS {_kind_of(field, connection)}[])" for field in lists)
    values = [array_of(_as_kept(field, given)) for field, given in lists.items()]
    return names, f"unnest({arrays}) AS a ({', '.join(names)})", values


def _as_kept(field: Any, values: Sequence[Any]) -> Sequence[Any]:
    """A field of our own keeps its values in another form (money, in ten-thousandths); Django's need no asking."""
    if type(field).__module__.startswith("django."):
        return values
    return [field.get_prep_value(value) for value in values]


def _listed(lists: _Columns, connection: Any) -> tuple[list[str], str, list[Any]]:
    """As rows of values."""
    ready = [[field.get_db_prep_save(value, connection) for value in given] for field, given in lists.items()]
    row = f"({', '.join(['%s'] * len(ready))})"
    each = [f"column{n}" for n in range(1, len(ready) + 1)]
    return each, f"(VALUES {', '.join([row] * len(ready[0]))})", list(chain.from_iterable(zip(*ready, strict=True)))


def array_of(values: Sequence[Any]) -> str:
    r"""Values as PostgreSQL writes an array.

    >>> array_of([1, None, True, 'a "b" \\', {"n": 1}])
    '{"1",NULL,"True","a \\"b\\" \\\\","{\\"n\\": 1}"}'
    >>> array_of([1, 2]), array_of(["a", "b,c", "a"])
    ('{1,2}', '{"a","b,c","a"}')
    """
    kinds = set(map(type, values))
    if kinds == {int}:
        written: Iterable[str] = map(str, values)
    elif kinds == {str}:  # a code, a name of a step: a few, again and again
        as_quoted = {value: _quoted(value) for value in set(values)}
        written = map(as_quoted.__getitem__, values)
    else:
        written = map(_quoted, values)
    return "{" + ",".join(written) + "}"


def _quoted(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (dict, list)):
        value = json.dumps(value)
    elif isinstance(value, dt.datetime):
        value = value.isoformat()
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _default(field: Any) -> Any:
    return timezone.now() if getattr(field, "auto_now_add", False) else field.get_default()
