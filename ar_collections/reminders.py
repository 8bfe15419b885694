"""The ladder as arithmetic: on which day a step is reached, and which step an invoice is to be served with.

Pure. A ladder is the steps of one policy in their order; an invoice stands on it by its due date, its terms
and what it was already served with. Whether it may be served today (paid, promised, paused …) is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, NamedTuple

from core.dates import in_window, next_business_day, window_opening
from policies.step_days import LAST_DAYS_BEFORE_DUE, days_before

Kind = Literal["message", "call", "review"]
KINDS: tuple[Kind, ...] = ("message", "call", "review")


class Rung(NamedTuple):
    """What the arithmetic needs to know of a step; ``offset_days`` counts from the due date, negative before it."""

    code: str
    offset_days: int
    channel: str = "mail"
    mandatory: bool = False
    repeats_every_days: int | None = None
    spacing_exempt: bool = False
    minimum: tuple[tuple[str, Decimal], ...] = ()
    only_for: str = ""
    needs_approval: bool = False

    @property
    def kind(self) -> Kind:
        """Mails and letters pass each other over; calls and reviews each go their own way."""
        return "message" if self.channel in ("mail", "letter") else "call" if self.channel == "call" else "review"


class Stand(NamedTuple):
    """How far an invoice has come by the steps of a kind: the furthest place served or passed over, and its round."""

    place: int = -1
    cycle: int = 0


class Due(NamedTuple):
    """An invoice is to be served with a rung (its place on the ladder), and passes over some before it."""

    place: int
    cycle: int = 1
    passes_over: tuple[int, ...] = ()


def reached_on(rung: Rung, due_on: date, terms_days: int | None) -> date | None:
    """The day on which an invoice reaches a step; None where it never does.

    >>> reached_on(Rung("reminder_1", 8), date(2026, 5, 1), 30)
    datetime.date(2026, 5, 9)
    >>> reached_on(Rung("pre_due", -7), date(2026, 5, 1), 10)
    datetime.date(2026, 4, 26)
    """
    if rung.offset_days >= 0:
        return due_on + timedelta(days=rung.offset_days)
    before = days_before(rung.offset_days, terms_days)
    return None if before is None else due_on - timedelta(days=before)


def is_reached(rung: Rung, due_on: date, terms_days: int | None, on: date) -> bool:
    """Whether the step can be served on a day: reached, and a reminder before the due date not too late.

    >>> pre_due = Rung("pre_due", -7)
    >>> [is_reached(pre_due, date(2026, 5, 11), 30, date(2026, 5, day)) for day in (3, 4, 9, 10)]
    [False, True, True, False]
    """
    reached = reached_on(rung, due_on, terms_days)
    if reached is None or reached > on:
        return False
    return rung.offset_days >= 0 or (due_on - on).days >= LAST_DAYS_BEFORE_DUE


def cycle_on(rung: Rung, due_on: date, on: date) -> int:
    """Which round of a repeating step a day lies in, 1 from the day it is reached; 1 for every other step.

    >>> statement = Rung("statement", 90, repeats_every_days=30)
    >>> [cycle_on(statement, date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=d)) for d in (90, 119, 120, 150)]
    [1, 1, 2, 3]
    """
    if not rung.repeats_every_days:
        return 1
    return max(0, (on - due_on).days - rung.offset_days) // rung.repeats_every_days + 1


def barrier(ladder: Sequence[Rung], messages: Stand) -> int:
    """The place of the first mandatory notice not yet given: nothing after it is served before it.

    >>> ladder = [Rung("reminder", 8), Rung("reissue", 30, mandatory=True), Rung("final", 45, mandatory=True)]
    >>> [barrier(ladder, Stand(place)) for place in (-1, 1, 2)]
    [1, 2, 3]
    """
    return next((n for n, rung in enumerate(ladder) if rung.mandatory and n > messages.place), len(ladder))


def is_enough(sums: Mapping[str, Decimal], minimum: Mapping[str, Decimal]) -> bool:
    """Whether what a client is asked for reaches the smallest sum in any currency; a currency without one has none.

    >>> least = {"EUR": Decimal(50)}
    >>> is_enough({"EUR": Decimal(49)}, least), is_enough({"EUR": Decimal(49), "USD": Decimal(1)}, least)
    (False, True)
    """
    return any(total > 0 and total >= minimum.get(currency, 0) for currency, total in sums.items())


def stands_against(rung: Rung, sums: Mapping[str, Decimal], payer: Collection[str]) -> str:
    """The condition of a step that a client does not meet, «only_for» or «step_minimum»; none: it is served.

    ``sums`` is what the client is asked for as a whole, per currency; ``payer`` how it pays (see ``payers``). A step
    whose condition does not hold is passed over; a mandatory notice knows no conditions.

    >>> firm = Rung("firm", 21, only_for="slow", minimum=(("EUR", Decimal(100)),))
    >>> stands_against(firm, {"EUR": Decimal(500)}, {"first"}), stands_against(firm, {"EUR": Decimal(50)}, {"slow"})
    ('only_for', 'step_minimum')
    """
    if rung.mandatory:
        return ""
    if rung.only_for and rung.only_for not in payer:
        return "only_for"
    return "step_minimum" if rung.minimum and not is_enough(sums, dict(rung.minimum)) else ""


def due_step(
    ladder: Sequence[Rung], kind: Kind, stand: Stand, *, limit: int, due_on: date, terms_days: int | None, on: date,
    without: Collection[int] = (),
) -> Due | None:
    """The step of a kind an invoice is to be served with on a day: the furthest one reached, if not yet served.

    What it passes over is named, so that it can be recorded as skipped. ``limit`` is the place of the next
    mandatory notice (``barrier``): it is never passed over and nothing comes before it. ``without`` are places whose
    condition does not hold.

    >>> ladder = [Rung("friendly", 1), Rung("first", 8), Rung("call", 14, "call"), Rung("second", 21)]
    >>> item = {"limit": 4, "due_on": date(2026, 5, 1), "terms_days": 30, "on": date(2026, 5, 25)}
    >>> due_step(ladder, "message", Stand(), **item)
    Due(place=3, cycle=1, passes_over=(0, 1))
    >>> due_step(ladder, "message", Stand(3, 1), **item)
    >>> due_step(ladder, "message", Stand(), **item, without={3})
    Due(place=1, cycle=1, passes_over=(0,))
    """
    place = next(
        (
            n for n in range(min(limit, len(ladder) - 1), -1, -1)
            if ladder[n].kind == kind and n not in without and is_reached(ladder[n], due_on, terms_days, on)
        ),
        -1,
    )
    if place < 0:
        return None
    cycle = cycle_on(ladder[place], due_on, on)
    if (place, cycle) <= stand:
        return None
    passed = tuple(
        n for n in range(stand.place + 1, place)
        if ladder[n].kind == kind and reached_on(ladder[n], due_on, terms_days) is not None
    )
    return Due(place, cycle, passed)


def entry(ladder: Sequence[Rung]) -> int:
    """Where an item that was overdue when it was taken over enters: the first step after the due date.

    >>> entry([Rung("pre_due", -7), Rung("friendly", 1), Rung("first", 8)])
    1
    """
    return next((n for n, rung in enumerate(ladder) if rung.offset_days > 0), len(ladder))


def still_to_climb(
    ladder: Sequence[Rung], furthest: int, *, messages: int | None = None, kinds: Collection[Kind] = KINDS
) -> list[int]:
    """The places an item taken over when it was overdue has before it, one after the other from the friendly step.

    ``furthest`` is the furthest place of any kind it was served with, ``messages`` that of its messages: those left
    out while nobody could be written to are made up for. ``kinds`` are those that can be served at all.

    >>> ladder = [Rung("friendly", 1), Rung("first", 8), Rung("call", 14, "call"), Rung("second", 21)]
    >>> still_to_climb(ladder, 0), still_to_climb(ladder, -1, kinds=["call"]), still_to_climb(ladder, 2, messages=-1)
    ([1, 2, 3], [2], [0, 1, 3])
    """
    served = {"message": furthest if messages is None else messages}
    return [
        n for n in range(entry(ladder), len(ladder))
        if ladder[n].kind in kinds and n > served.get(ladder[n].kind, furthest)
    ]


def next_in_turn(ladder: Sequence[Rung], turn: Sequence[int], *, due_on: date, on: date) -> Due | None:
    """The step for an item that was overdue when it was taken over: the first it has ``still_to_climb``, if reached.

    However old the item, it enters at the friendly step and climbs one step, of whatever kind, at a time; it never
    runs ahead of an item of its age.

    >>> ladder = [Rung("friendly", 1), Rung("first", 8), Rung("call", 14, "call")]
    >>> turns = still_to_climb(ladder, -1), still_to_climb(ladder, 1), still_to_climb(ladder, 2)
    >>> [next_in_turn(ladder, turn, due_on=date(2026, 1, 1), on=date(2026, 5, 4)) for turn in turns]
    [Due(place=0, cycle=1, passes_over=()), Due(place=2, cycle=1, passes_over=()), None]
    """
    if not turn or not is_reached(ladder[turn[0]], due_on, None, on):
        return None
    return Due(turn[0], cycle_on(ladder[turn[0]], due_on, on))


def first_moment(
    earliest: datetime, zone: tzinfo, opens: time, closes: time, holidays: Collection[date] = frozenset()
) -> datetime:
    """The first instant, in UTC, at or after ``earliest`` at which the window of a place stands open.

    >>> from datetime import UTC
    >>> from zoneinfo import ZoneInfo
    >>> friday_evening = datetime(2026, 10, 23, 18, tzinfo=UTC)  # the clocks change on Sunday
    >>> first_moment(friday_evening, ZoneInfo("Europe/Berlin"), time(9), time(17)).isoformat()
    '2026-10-26T08:00:00+00:00'
    """
    local = earliest.astimezone(zone)
    if in_window(local, opens, closes, holidays):
        return earliest.astimezone(UTC)
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    return window_opening(next_business_day(day, holidays), opens, zone)
