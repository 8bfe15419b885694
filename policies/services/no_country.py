"""A policy that names no country: what nobody looked at when it was written, said beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import Refused
from policies.guard_rails import broken, countries_of

from .guard_rails import known_countries, rails_for
from .rates import rule_of


def not_looked_at(
    values: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], *, effective_from: dt.date
) -> list[str]:
    """What a version that names no country would break in countries of which rules are known: a sentence for each.

    No reason to refuse it: fees and days to pay are kept to the rules of the country of each client when a reminder is
    sent. ``values`` and ``steps`` are typed, by field.
    """
    if countries_of(values.get("jurisdictions", "")):
        return []
    try:
        rule = rule_of(str(values.get("interest", "CONTRACT")), effective_from)
    except Refused:
        rule = None
    found = []
    for country in known_countries():
        here = {**values, "jurisdictions": country}
        names = dict.fromkeys(f"“{one.rail.name}”" for one in broken(steps, here, rails_for([country]), rule=rule))
        if names:
            found.append(
                f"No country is named, so no rule was checked; in {country} it breaks {', '.join(names)}. Name the "
                "country, or give the clients there a policy of their own: when a reminder is sent, only its fee and "
                "its days to pay are kept to the rules of the client's country."
            )
    return found
