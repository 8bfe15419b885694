"""By which policy somebody was reminded and charged on which day, where another one was chosen meanwhile.

Pure. A choice holds from its day on and never reaches back; what was never changed has held since ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from .precedence import Where, policy_that_holds

EVER = date.min

T = TypeVar("T")


class Change(NamedTuple):
    """From a day on another policy was chosen in a place (empty: none), or a client came into another segment.

    ``subject`` is the company, segment, client or invoice, by its id.
    """

    where: Where
    subject: int
    from_on: date
    before: str
    name: str
    by: str = ""
    segment_before: int | None = None
    segment: int | None = None


class Since(NamedTuple):
    """The policy that holds from a day on, and where, and by whom, it was chosen."""

    from_on: date
    name: str
    where: Where
    by: str = ""

    def to_json(self) -> dict[str, str]:
        """As a charge keeps it.

        >>> Since(date(2027, 3, 1), "gentle", "invoice", "Ada").to_json()
        {'policy': 'gentle', 'for': 'invoice', 'from': '2027-03-01'}
        """
        return {"policy": self.name, "for": self.where, "from": self.from_on.isoformat()}


class Subject(NamedTuple):
    """An invoice with all that says which policy holds for it at present; each by its id, and the names chosen."""

    company: int
    client: int
    segment: int | None
    invoice: int
    company_s: str
    segment_s: str
    client_s: str
    invoice_s: str


History = Mapping[tuple[Where, int], Sequence[Change]]


def policies_by_day(asked: Subject, history: History, segments: Mapping[int, str]) -> tuple[Since, ...]:
    """Which policy held for an invoice from which day on: the nearest that was chosen by then, day after day.

    ``segments`` are the names chosen at present for segments by their id. Of several choices in a place on one day the
    last holds, so that one taken back the same day changes nothing.

    >>> asked = Subject(1, 2, None, 3, "standard", "", "", "gentle")
    >>> march = Change("invoice", 3, date(2027, 3, 1), "", "gentle", "Ada")
    >>> [(str(one.from_on), one.name, one.where) for one in policies_by_day(asked, {("invoice", 3): [march]}, {})]
    [('0001-01-01', 'standard', 'company'), ('2027-03-01', 'gentle', 'invoice')]
    >>> policies_by_day(asked, {}, {})
    (Since(from_on=datetime.date(1, 1, 1), name='gentle', where='invoice', by=''),)
    """

    def names(where: Where, subject: int, present: str) -> list[tuple[date, str]]:
        return _by_day(present, ((c.from_on, c.before) for c in history.get((where, subject), ())))

    of_client = history.get(("client", asked.client), ())
    member = _by_day(asked.segment, ((c.from_on, c.segment_before) for c in of_client))
    at: dict[Where, list[tuple[date, str]]] = {
        "invoice": names("invoice", asked.invoice, asked.invoice_s),
        "client": names("client", asked.client, asked.client_s),
        "company": names("company", asked.company, asked.company_s),
    }
    known = {**segments, **({asked.segment: asked.segment_s} if asked.segment is not None else {})}
    of_segments = {pk: names("segment", pk, known.get(pk, "")) for _day, pk in member if pk is not None}
    lines: list[Sequence[tuple[date, object]]] = [*at.values(), member, *of_segments.values()]
    found: list[Since] = []
    for day in sorted({since for line in lines for since, _what in line}):
        segment = _on(member, day)
        choice = policy_that_holds(
            invoice=_on(at["invoice"], day), client=_on(at["client"], day), company=_on(at["company"], day),
            segment=_on(of_segments[segment], day) if segment is not None else "",
        )
        if not found or (found[-1].name, found[-1].where) != choice:
            found.append(Since(day, choice.name, choice.where, _made_by(history, asked, choice.where, segment, day)))
    return tuple(found)


def _by_day(present: T, changes: Iterable[tuple[date, T]]) -> list[tuple[date, T]]:
    """What held since when, of changes in their order, each with what held before it."""
    found: list[tuple[date, T]] = []
    since = EVER
    for day, before in changes:
        if day > since:
            found.append((since, before))
            since = day
    return [*found, (since, present)]


def _on(line: Sequence[tuple[date, T]], day: date) -> T:
    return next(what for since, what in reversed(line) if since <= day)


def _made_by(history: History, asked: Subject, where: Where, segment: int | None, day: date) -> str:
    """Who made the last choice of a day: in the place that holds now, else where one was taken back."""
    places: list[tuple[Where, int]] = [
        ("invoice", asked.invoice), ("client", asked.client), ("segment", segment or 0), ("company", asked.company)
    ]  # fmt: skip
    places.sort(key=lambda place: place[0] != where)
    made = ([change.by for change in history.get(place, ()) if change.from_on == day] for place in places)
    return next((some[-1] for some in made if some), "")
