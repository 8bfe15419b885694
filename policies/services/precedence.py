"""The precedence of policies as queries ask it: made of ``policies.precedence.PLACES``, never written down again."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import CharField, Q, Value
from django.db.models.functions import Coalesce, NullIf

from policies.precedence import PLACES

_NOTHING = Value("", output_field=CharField())
_ROW_OF_INVOICE = {"invoice": "policy_name", "client": "client__policy_name", "segment": "client__segment__policy_name"}
_ROW_OF_CLIENT = {"client": "policy_name", "segment": "segment__policy_name"}


def own_name(prefix: str = "") -> Coalesce:
    """The column that says which policy holds for a client, empty where it is the company's."""
    return _nearest(_columns(_ROW_OF_CLIENT, prefix))


def own_name_of_invoice(prefix: str = "") -> Coalesce:
    """The same for an invoice: its own choice before that of its client."""
    return _nearest(_columns(_ROW_OF_INVOICE, prefix))


def governed(name: str, users: Iterable[int], prefix: str = "") -> Q:
    """Which invoices are reminded by a policy, as a condition; ``users`` are the companies whose own policy it is."""
    found = Q(**{f"{prefix}company__in": list(users)})
    for column in reversed(_columns(_ROW_OF_INVOICE, prefix)):
        nobody = Q(**{column: ""})
        if "segment" in column:  # a client may be in none
            nobody |= Q(**{column.removesuffix("__policy_name"): None})
        found = Q(**{column: name}) | (nobody & found)
    return found


def _columns(of: dict[str, str], prefix: str) -> list[str]:
    return [prefix + of[place] for place in PLACES if place in of]


def _nearest(columns: list[str]) -> Coalesce:
    return Coalesce(*(NullIf(column, _NOTHING) for column in columns), _NOTHING, output_field=CharField())
