"""What the pages about policies show: which there are, and the answer of a trial as bars and sentences."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from ar_collections.services.dry_run.costs import already_overdue, choice_matters
from ar_collections.services.dry_run.owed import owed_now
from core.models import Company, Job
from policies.models import CompanyPolicy, Policy, PolicyDraft
from policies.services.drafts import open_draft, version_of

WIDTH, HEIGHT = 900, 170  # of the picture
TONES = 8  # colours there are for steps
MOST_CLIENTS = 100  # a page names


@dataclass(frozen=True)
class Row:
    """A policy: the version in force, those to come, its draft, who uses it."""

    name: str
    title: str
    in_force: Policy | None
    later: list[Policy]
    draft: PolicyDraft | None
    companies: list[str]

    @property
    def begins_another(self) -> Policy:
        """The version from which another policy is begun: the one in force, else the last to come."""
        return self.in_force or self.later[-1]


def policies_of(on: dt.date) -> list[Row]:
    """Every policy there is, by name."""
    users: dict[str, list[str]] = {}
    for name, company in CompanyPolicy.objects.values_list("name", "company__name").order_by("company__name"):
        users.setdefault(name, []).append(company)
    drafts = {draft.name: draft for draft in PolicyDraft.objects.filter(activated=None)}
    rows = []
    for name, some in groupby(Policy.objects.order_by("name", "effective_from"), key=lambda policy: policy.name):
        versions = list(some)
        begun = [v for v in versions if v.effective_from <= on]
        now = begun[-1] if begun else None
        title = (now or versions[-1]).title or name
        later = [v for v in versions if v.effective_from > on]
        rows.append(Row(name, title, now, later, drafts.get(name), users.get(name, [])))
    return rows


@dataclass(frozen=True)
class Bar:
    """One piece of a day's bar: where it lies in the picture, its colour, and what it says."""

    x: float
    y: float
    width: float
    height: float
    tone: int
    says: str


@dataclass(frozen=True)
class Picture:
    """Bars per day and step, and the axis: the highest, the days at its ends."""

    bars: list[Bar]
    most: int
    first: dt.date
    last: dt.date
    steps: list[tuple[str, str, int]]  # code, title, tone

    width, height = WIDTH, HEIGHT


def picture(per_day: dict[str, Any], first: dt.date, days: int, titles: dict[str, str], most: int = 0) -> Picture:
    """Invoices per day and step, one above the other; ``most`` lets two pictures have one scale."""
    codes = list(titles)
    most = max(most, highest(per_day), 1)
    width = WIDTH / max(days, 1)
    bars = []
    for n in range(days):
        day = per_day.get((first + dt.timedelta(days=n)).isoformat())
        top = float(HEIGHT)
        for place, code in enumerate(codes):
            step = day["per_step"].get(code) if day else None
            if step is None:
                continue
            tall = max(HEIGHT * step["invoices"] / most, 1.0)
            top -= tall
            says = f"{first + dt.timedelta(days=n):%-d %b %Y}: {titles[code]}, {step['invoices']}"
            bars.append(Bar(
                round(n * width, 2), round(max(top, 0), 2), round(max(width - 1, 1), 2), round(tall, 2),
                place % TONES + 1, says,
            ))  # fmt: skip
    steps = [(code, titles[code], place % TONES + 1) for place, code in enumerate(codes)]
    return Picture(bars, most, first, first + dt.timedelta(days=max(days - 1, 0)), steps)


def highest(per_day: dict[str, Any]) -> int:
    """The most invoices that are served on one day, counting each step."""
    return max((sum(step["invoices"] for step in day["per_step"].values()) for day in per_day.values()), default=0)


@dataclass(frozen=True)
class Outcome:
    """The answer of a trial, ready to be shown."""

    told: dict[str, Any]
    first: dt.date
    titles: dict[str, str]

    @property
    def mine(self) -> Picture:
        return self._picture(self.told["per_day"])

    @property
    def theirs(self) -> Picture:
        return self._picture(self.told["against_days"]["per_day"])

    @cached_property
    def _shown(self) -> dict[str, str]:
        """The steps that occur in either picture."""
        found = self.told["per_step"].keys() | self.told["against_days"]["per_step"].keys()
        return {code: title for code, title in self.titles.items() if code in found}

    def _picture(self, per_day: dict[str, Any]) -> Picture:
        most = max(highest(self.told["per_day"]), highest(self.told["against_days"]["per_day"]))
        return picture(per_day, self.first, self.told["days"], self._shown, most)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Per step: what the version tried does, and what it is compared with does."""
        mine, theirs = self.told["per_step"], self.told["against_days"]["per_step"]
        nothing = {"messages": 0, "tasks": 0, "invoices": 0, "sums": {}}
        return [
            {
                "title": self.titles[code], "mine": mine.get(code, nothing), "theirs": theirs.get(code, nothing),
                "sums": _sums(mine.get(code, nothing)["sums"]),
            }
            for code in self.titles if code in mine or code in theirs
        ]  # fmt: skip

    @property
    def days(self) -> list[tuple[dt.date, dict[str, Any], dict[str, Decimal]]]:
        return [
            (dt.date.fromisoformat(day), found, _sums(found["sums"]))
            for day, found in sorted(self.told["per_day"].items())
        ]

    @property
    def legend(self) -> list[tuple[str, str, int]]:
        """Each step with the colour it has in both pictures."""
        return self.mine.steps

    @property
    def burst_on(self) -> dt.date | None:
        return _day(self.told["first_day"]["on"])

    @property
    def burst_sums(self) -> dict[str, Decimal]:
        return _sums(self.told["first_day"]["sums"])

    @property
    def cash_only(self) -> list[dict[str, Any]]:
        return [
            row | {
                "on": _day(row["on"]), "against_on": _day(row["against_on"]),
                "title": self.titles.get(row["step"], row["step"]),
            }
            for row in self.told["cash_only"]["clients"]
        ]  # fmt: skip

    @property
    def money(self) -> list[tuple[str, str, Decimal, Decimal]]:
        """Kind, currency, as tried, as compared with; an answer from before an update knows of fewer kinds."""
        return [
            (kind, currency, Decimal(sums["tried"]), Decimal(sums["against"]))
            for kind in ("interest", "noted", "fees", "compensation")
            for currency, sums in self.told.get(kind, {}).items()
        ]

    @property
    def clients(self) -> list[dict[str, Any]]:
        """The differences by client, as sentences have them."""
        return by_client(self.told["differences"]["rows"], self.titles)

    @property
    def clients_left(self) -> int:
        """How many clients with differences the page does not name."""
        return max(self.told["differences"]["clients"] - MOST_CLIENTS, 0)


def by_client(rows: list[dict[str, Any]], titles: dict[str, str], most: int = MOST_CLIENTS) -> list[dict[str, Any]]:
    """Differences by client, with days as days; so many clients as a page can show."""
    found = []
    for (number, name), some in groupby(rows, key=lambda row: (row["client"], row["client_name"])):
        differences = [
            row | {
                "title": titles.get(row["step"], row["step"]), "on": _day(row["on"]),
                "against_on": _day(row["against_on"]),
            }
            for row in some
        ]  # fmt: skip
        found.append({"number": number, "name": name, "differences": differences})
        if len(found) == most:
            break
    return found


def outcome_of(job: Job) -> Outcome:
    """The answer of a trial that is done and looked ahead."""
    told = job.result or {}
    return Outcome(told, dt.date.fromisoformat(told["from"]), titles_of(told["policy"]))


def titles_of(name: str) -> dict[str, str]:
    """How the steps of a policy are called, in the order of their days: the draft's, else those of its versions."""
    found: dict[str, tuple[int, str]] = {}
    for policy in Policy.objects.filter(name=name).order_by("effective_from").prefetch_related("steps"):
        found |= {step.code: (step.offset_days, step.title) for step in policy.steps.all()}
    draft = PolicyDraft.objects.filter(name=name).order_by("-pk").first()
    for step in draft.steps if draft else ():
        found[step["code"]] = (int(step["offset_days"]), step["title"])
    return {code: title for code, (_offset, title) in sorted(found.items(), key=lambda one: one[1])}


@dataclass(frozen=True)
class Choice:
    """What a choice for what is already overdue would do: invoices and sums per currency; rates that are missing."""

    code: str
    per_currency: dict[str, tuple[int, Decimal, Decimal]]
    missing: list[str]
    noted: dict[str, Decimal] = field(default_factory=dict)


def choices_of(
    name: str, effective_from: dt.date, chosen_on: dt.date | None, on: dt.date
) -> tuple[list[Choice], bool]:
    """The three choices side by side, for the draft as it stands; the chosen date only where one is written.

    And whether it matters which of them is chosen.
    """
    draft = open_draft(name)
    if draft is None:
        return [], True
    policy, _steps = version_of(draft, effective_from)
    users = list(CompanyPolicy.objects.filter(name=name).values_list("company", flat=True))
    companies = list(Company.objects.values_list("pk", flat=True))
    owed = list(owed_now(name, users, companies, on))
    found = []
    for code in ("activation", "due_date", "chosen"):
        if code == "chosen" and chosen_on is None:
            continue
        told = already_overdue(owed, policy, effective_from, code, chosen_on)  # type: ignore[arg-type]
        found.append(Choice(code, told["per_currency"], told["missing"], told["noted"]))
    return found, choice_matters(owed, policy, effective_from)


def _sums(said: dict[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(total) for currency, total in said.items()}


def _day(said: str | None) -> dt.date | None:
    return dt.date.fromisoformat(said) if said else None
