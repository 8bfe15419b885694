"""Which invoices a policy holds for, as a condition of a query."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q


def governed(name: str, users: Iterable[int], prefix: str = "") -> Q:
    """What is reminded by a policy: chosen for the invoice, else the client, else its segment, else the company.

    ``users`` are the companies whose own policy it is.
    """
    own, client = f"{prefix}policy_name", f"{prefix}client__policy_name"
    segment, company = f"{prefix}client__segment__policy_name", f"{prefix}company__in"
    no_segment = Q(**{f"{prefix}client__segment": None}) | Q(**{segment: ""})
    by_company = no_segment & Q(**{company: list(users)})
    by_client = Q(**{client: name}) | (Q(**{client: ""}) & (Q(**{segment: name}) | by_company))
    return Q(**{own: name}) | (Q(**{own: ""}) & by_client)
