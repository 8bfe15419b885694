"""Which policy holds where several are chosen: the invoice's before the client's, the segment's, the company's.

The only place that says so. ``policies.services.precedence`` makes columns and conditions of ``PLACES`` for queries.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Where = Literal["invoice", "client", "segment", "company"]
PLACES: tuple[Where, ...] = ("invoice", "client", "segment", "company")  # the nearest first


class Choice(NamedTuple):
    """The name of a policy, and where it was chosen."""

    name: str
    where: Where


def policy_that_holds(*, company: str, segment: str = "", client: str = "", invoice: str = "") -> Choice:
    """The nearest choice: the invoice's own, else the client's, else that of its segment, else the company's.

    >>> policy_that_holds(company="standard", segment="public", client="", invoice="")
    Choice(name='public', where='segment')
    >>> policy_that_holds(company="standard", segment="public", client="gentle", invoice="final")
    Choice(name='final', where='invoice')
    """
    chosen = {"invoice": invoice, "client": client, "segment": segment, "company": company}
    return next((Choice(chosen[place], place) for place in PLACES if chosen[place]), Choice(company, "company"))


def chosen_for(client: Any, invoice: str = "", company: str = "") -> Choice:
    """The same for a client with its segment, and for an invoice of it with this choice; empty where nobody chose.

    >>> from types import SimpleNamespace as Row
    >>> chosen_for(Row(policy_name="", segment_id=1, segment=Row(policy_name="public")), company="standard").name
    'public'
    """
    segment = client.segment.policy_name if client.segment_id and client.segment else ""
    return policy_that_holds(invoice=invoice, client=client.policy_name, segment=segment, company=company)
