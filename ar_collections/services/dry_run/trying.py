"""The dry run: a draft over today's book for the days to come, beside the version in force; nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import tee
from typing import IO, Any

from django.db.models import Count, Max
from django.utils.translation import gettext as _

from ar_collections.dry_run import DayOfTrial, by_step, first_burst, in_words
from ar_collections.models import Hold, Served
from clients.models import Client
from clients.services.status import NO_CREDIT, statuses_of
from core.errors import Refused
from core.jobs import Progress, unheard
from core.models import Company
from invoices.models import Invoice
from policies.models import CompanyPolicy, Policy, Segment
from policies.services.drafts import open_draft, version_of

from .answering import compare
from .costs import Costs, choice_matters, costs
from .owed import owed_now
from .past import what_was_sent
from .running import Side, Version, put_in_force, run, what_mattered, what_matters
from .shadow import Book, book_at_this_moment

MOST_DAYS = 366
LOOK_BACK = 30  # days, for the busiest day there was
IN_ANSWER = 500  # clients newly cash-only that stand in the answer


@dataclass(frozen=True)
class Question:
    """What is to be tried: a policy by its name, on which book, for how long, beside what."""

    name: str
    on: dt.date
    days: int = 90
    past: int = 0
    against: str = ""
    company: Company | None = None


def dry_run(asked: Question, *, progress: Progress = unheard, file: IO[str] | None = None) -> dict[str, Any]:
    """What a policy's draft (or its latest version, where none is open) would do in the next days, told per day.

    Beside it what the version in force would do, or the version ``against`` names by its day, and every difference.
    ``past``: also what it would have sent on so many days gone by, beside what was sent. ``file`` takes every step of
    every invoice as CSV. Nothing is written, and nobody waits. Refused for a policy or version that is not there.
    """
    if not (0 <= asked.days <= MOST_DAYS and 0 <= asked.past <= MOST_DAYS) or asked.days + asked.past == 0:
        raise Refused(_("Try from 1 to %(most)d days.") % {"most": MOST_DAYS}, code="days", where="days")
    tried, against = _tried(asked.name, asked.on), _against(asked)
    companies, users = _where(asked)
    answer: dict[str, Any] = {
        "policy": asked.name, "tried": tried.label, "against": against.label, "against_is_now": not asked.against,
        "from": asked.on, "to": asked.on + dt.timedelta(days=max(asked.days - 1, 0)), "days": asked.days,
    }  # fmt: skip
    sides = 1 if _is_the_same(tried, against) else 2
    tell = _told(progress, asked.days * sides + asked.past)
    with book_at_this_moment() as book:
        if asked.days:
            answer |= _ahead(book, asked, tried, against if sides == 2 else None, companies, users, tell, file)
        if asked.past:
            answer["past"] = _behind(book, asked, tried, companies, users, tell)
    return answer


def _ahead(
    book: Book, asked: Question, tried: Version, against: Version | None, companies: Sequence[Company],
    users: Sequence[int], tell: Callable[[], None], file: IO[str] | None,
) -> dict[str, Any]:
    until = asked.on + dt.timedelta(days=asked.days - 1)
    with closing(Side(tried)) as one, closing(Side(against or tried)) as other:
        _one_side(book, one, companies, users, asked.on, asked.days, tell)
        if against is not None:
            _one_side(book, other, companies, users, asked.on, asked.days, tell)
        theirs = other if against is not None else one
        cost = _costs(asked, one, companies, users, until)
        return {
            **_days(one), "against_days": _days(theirs), "first_day": _burst(one, theirs, companies, asked.on),
            **_money(cost, cost if theirs is one else _costs(asked, theirs, companies, users, until)),
            "cash_only": _cash_only(one, theirs, asked.on), "differences": _compared(one, theirs, file),
            "assumed": [*assumed(companies), *_choice_said(asked, tried, companies, users)],
        }


def _compared(one: Side, other: Side, file: IO[str] | None) -> dict[str, Any]:
    tried, against = tee(one.servings()) if one is other else (one.servings(), other.servings())
    return compare(tried, against, file).to_json()


def _one_side(
    book: Book, side: Side, companies: Sequence[Company], users: Sequence[int], first_day: dt.date, days: int,
    tell: Callable[[], None],
) -> None:
    with book.trial(what_matters(first_day)):
        put_in_force(side.version, first_day)
        run(side, companies, users, first_day, days, tell)


def _behind(
    book: Book, asked: Question, tried: Version, companies: Sequence[Company], users: Sequence[int],
    tell: Callable[[], None],
) -> dict[str, Any]:
    """What the version would have sent on days gone by, beside what was sent."""
    first_day = asked.on - dt.timedelta(days=asked.past)
    with closing(Side(tried)) as one:
        with book.trial(what_mattered(first_day)):
            put_in_force(tried, first_day)
            run(one, companies, users, first_day, asked.past, tell)
        with closing(what_was_sent(asked.name, users, companies, first_day, asked.past)) as sent:
            return {
                "from": first_day, "to": asked.on - dt.timedelta(days=1), **_days(one), "sent": _days(sent),
                "differences": _compared(one, sent, None),
            }


def _days(side: Side) -> dict[str, Any]:
    return {
        "per_day": {day.on.isoformat(): day.to_json() for day in side.days if not day.is_empty},
        "per_step": {code: found.to_json() for code, found in sorted(by_step(side.days).items())},
        "messages": sum(day.messages for day in side.days), "tasks": sum(day.tasks for day in side.days),
    }


def _burst(one: Side, other: Side, companies: Sequence[Company], on: dt.date) -> dict[str, Any]:
    """The first day on which mail leaves, and how much; what the busiest day of late was, and whether it is a surge."""
    first, theirs = first_burst(one.days), first_burst(other.days)
    mine = Served.objects.filter(invoice__company__in=companies, message__isnull=False, on__lt=on)
    per_day = mine.filter(on__gte=on - dt.timedelta(days=LOOK_BACK)).order_by().values("on").annotate(
        n=Count("message", distinct=True)
    )
    busiest = per_day.aggregate(most=Max("n"))["most"] or 0
    policy = one.version.policy
    usual = max(policy.surge_floor, policy.surge_factor * busiest)
    return {
        "on": first and first.on, **_of_the_burst(first), "against_on": theirs and theirs.on,
        "against_messages": theirs.messages if theirs else 0, "busiest_of_late": busiest, "usual": usual,
        "would_be_held": bool(first and first.messages > usual),
    }


def _of_the_burst(day: DayOfTrial | None) -> dict[str, Any]:
    told = (day or DayOfTrial(dt.date.min)).to_json()
    return {name: told[name] for name in ("messages", "invoices", "sums", "per_step")}


def _costs(
    asked: Question, side: Side, companies: Sequence[Company], users: Sequence[int], until: dt.date
) -> Costs:
    owed = owed_now(asked.name, users, [company.pk for company in companies], asked.on)
    return costs(owed, side, on=asked.on, until=until)


def _money(mine: Costs, theirs: Costs) -> dict[str, Any]:
    names = ("interest", "noted", "fees", "compensation")
    missing = sorted(mine.missing | theirs.missing)
    both = {name: (getattr(mine, name), getattr(theirs, name)) for name in names}
    told: dict[str, Any] = {
        name: {
            currency: {
                "tried": in_words({currency: a.get(currency, Decimal(0))})[currency],
                "against": in_words({currency: b.get(currency, Decimal(0))})[currency],
            }
            for currency in sorted({*a, *b})
        }
        for name, (a, b) in both.items()
    }
    bearing = {"tried": dict(mine.bearing), "against": dict(theirs.bearing)}
    return told | {"bearing_interest": bearing, "missing_rates": missing}


def _cash_only(one: Side, other: Side, on: dt.date) -> dict[str, Any]:
    """Clients whom a step would make cash-only, who are not today."""
    mine, theirs = _newly(one, on), _newly(other, on)
    clients = Client.objects.in_bulk(sorted(mine)[:IN_ANSWER])
    return {
        "count": len(mine), "against_count": len(theirs), "new": len(mine.keys() - theirs.keys()),
        "no_longer": len(theirs.keys() - mine.keys()),
        "clients": [
            {
                "client": client.number, "client_name": client.name, "on": mine[pk][0], "step": mine[pk][1],
                "against_on": theirs[pk][0] if pk in theirs else None,
            }
            for pk, client in sorted(clients.items(), key=lambda found: (mine[found[0]][0], found[1].number))
        ],
    }


def _newly(side: Side, on: dt.date) -> dict[int, tuple[dt.date, str]]:
    found = {pk: (one.on, one.step) for pk, one in side.cash_only.items()}
    pks = sorted(found)
    for start in range(0, len(pks), 500):
        some = Client.objects.filter(pk__in=pks[start : start + 500])
        for pk, change in statuses_of(some, on).items():
            if change.status in NO_CREDIT or change.source == "hand":
                found.pop(pk, None)
    return found


def assumed(companies: Sequence[Company]) -> list[str]:
    """What a trial takes for granted, so that nobody reads more into it."""
    said = [
        _("Nobody pays: no payment dated later than today is assumed, and no new invoice."),
        _("Promises, pauses and agreed time to pay end on their days; nobody promises or disputes anything new."),
        _("Messages leave on the day they are planned for, calls are made, and what waits for approval is approved."),
    ]
    if Hold.objects.filter(company__in=companies, ended_at=None).exists():
        said.append(_("Messages that are held today are counted as released."))
    return said


def _choice_said(asked: Question, tried: Version, companies: Sequence[Company], users: Sequence[int]) -> list[str]:
    """Of a draft: what becomes of the interest of what is overdue, where activating it asks for a choice."""
    if tried.policy.pk is not None:
        return []
    owed = owed_now(asked.name, users, [company.pk for company in companies], asked.on)
    if choice_matters(owed, tried.policy, asked.on):
        return [
            _("What is overdue bears the interest of the draft from the first day; activating it asks from when.")
        ]
    return [_("For what is overdue it makes no difference from when the draft holds: its interest is the same before.")]


def _tried(name: str, on: dt.date) -> Version:
    draft = open_draft(name)
    if draft is not None:
        policy, steps = version_of(draft, on)
        return Version("draft", policy, tuple(steps))
    latest = Policy.objects.filter(name=name).order_by("-effective_from").first()
    if latest is None:
        known = ", ".join(Policy.objects.order_by("name").values_list("name", flat=True).distinct()) or "–"
        raise Refused(
            _("There is no policy “%(name)s”. Known are: %(known)s.") % {"name": name, "known": known},
            code="no_policy", where="policy",
        )
    return _fixed(latest)


def _fixed(policy: Policy) -> Version:
    return Version(policy.effective_from.isoformat(), policy, tuple(policy.steps.all()))


def _against(asked: Question) -> Version:
    """The version named, or what is in force day by day, with its own changes on the way."""
    versions = Policy.objects.filter(name=asked.name)
    if asked.against:
        named = versions.filter(effective_from=_day(asked.against) or dt.date.min).first()
        if named is None:
            days = ", ".join(day.isoformat() for day in versions.values_list("effective_from", flat=True))
            raise Refused(
                _("“%(name)s” has no version from %(day)s. Its versions begin on: %(days)s.") % {
                    "name": asked.name, "day": asked.against, "days": days or "–",
                },
                code="no_version", where="against",
            )
        return _fixed(named)
    now = Policy.objects.in_force(asked.name, asked.on) or versions.order_by("effective_from").first()
    if now is None:
        raise Refused(_("“%(name)s” has no version.") % {"name": asked.name}, code="no_version", where="policy")
    if now.effective_from > asked.on:
        raise Refused(
            _("“%(name)s” is not in force yet: its first version begins on %(day)s. Compare with that one.") % {
                "name": asked.name, "day": now.effective_from.isoformat(),
            },
            code="no_version", where="policy",
        )
    until = asked.on + dt.timedelta(days=asked.days)
    later = versions.filter(effective_from__gt=asked.on, effective_from__lt=until).order_by("effective_from")
    return Version(now.effective_from.isoformat(), now, later=tuple(later))


def _day(said: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(said)
    except ValueError:
        return None


def _where(asked: Question) -> tuple[list[Company], list[int]]:
    """The companies in which the policy is chosen for somebody, and those whose own policy it is."""
    users = set(CompanyPolicy.objects.filter(name=asked.name).values_list("company", flat=True))
    found = set(users)
    for rows in (Segment.objects, Client.objects, Invoice.objects):
        found |= set(rows.filter(policy_name=asked.name).order_by().values_list("company", flat=True).distinct())
    companies = Company.objects.filter(pk__in=found)
    if asked.company is not None:
        companies = companies.filter(pk=asked.company.pk)
    chosen = list(companies)
    if not chosen:
        raise Refused(
            _("Nobody is reminded by “%(name)s”: it is chosen nowhere.") % {"name": asked.name},
            code="unused", where="policy",
        )
    return chosen, sorted(users)


def _is_the_same(tried: Version, against: Version) -> bool:
    """Whether both say the same on every day of the trial, so that one run answers for both."""
    return not against.later and tried.policy.pk is not None and tried.policy.pk == against.policy.pk


def _told(progress: Progress, total: int) -> Callable[[], None]:
    done = iter(range(1, total + 1))
    progress(0, total, "days")
    return lambda: progress(next(done, total), total, "days")
