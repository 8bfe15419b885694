"""Which policy holds where several are chosen: the invoice's before the client's, the segment's, the company's."""

from __future__ import annotations

from typing import Literal, NamedTuple

Where = Literal["invoice", "client", "segment", "company"]


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
    chosen: list[tuple[str, Where]] = [
        (invoice, "invoice"), (client, "client"), (segment, "segment"), (company, "company"),
    ]  # fmt: skip
    return next((Choice(name, where) for name, where in chosen if name), Choice(company, "company"))
