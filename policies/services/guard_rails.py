"""The guard-rails as rows: those shipped, those an administrator adds, and which of them hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from audit.services import record
from core.batches import once_in_a_batch
from core.errors import Refused
from core.models import as_text
from core.permissions import demand
from policies.guard_rails import Rail, check_value, countries_of, holds_in, shipped
from policies.jurisdictions import EU
from policies.models import GuardRail, Policy, Step
from policies.sending_rails import Given, days_given


@once_in_a_batch
def standing_rails() -> list[GuardRail]:
    """The rows that hold: of every country and code the newest, unless it takes the rule out of force."""
    newest: dict[tuple[str, str], GuardRail] = {}
    for row in GuardRail.objects.order_by("id"):
        newest[(row.country, row.code)] = row
    return sorted((row for row in newest.values() if row.is_active), key=lambda row: (row.country, row.code))


def rails_for(countries: Sequence[str]) -> list[Rail]:
    """The rails that hold in the countries; those of the Union hold in every member state."""
    if not countries:
        return []
    return [rail for rail in map(as_rail, standing_rails()) if holds_in(rail, countries)]


def rails_at(policy: Policy, country: str) -> list[Rail]:
    """The rails that hold when something is sent: of the countries the policy names, else of the client's."""
    return rails_for(countries_of(policy.jurisdictions) or [country])


def given_by(step: Step, rails: Iterable[Rail]) -> Given:
    """How many days a step gives to pay, and until the interest it gives notice of, where these rails hold."""
    if not step.sends_mail or step.offset_days <= 0:
        return Given(step.pay_within_days, step.interest_notice_days)
    return days_given(
        step.pay_within_days, step.interest_notice_days, rails, for_consumers=step.policy.for_consumers,
        must_name_a_day=bool(step.fee) or step.mandatory,
    )


def known_countries() -> list[str]:
    """Countries of which a rule is known, each with two letters; the Union stands for all its member states."""
    return sorted({row.country for row in standing_rails()})


def unknown_among(countries: Iterable[str]) -> list[str]:
    """The countries of which no rule is known."""
    known = set(known_countries())
    return [one for one in countries if one not in known and not ("EU" in known and one in EU)]


def as_rail(row: GuardRail) -> Rail:
    """A row as the check takes it."""
    return Rail(
        row.country, row.code, row.kind, row.value, row.for_consumers, row.name, row.says, row.source, row.as_of
    )


def add_rail(
    *, country: str, code: str, kind: str, value: Mapping[str, Any], for_consumers: bool | None, name: str, says: str,
    source: str, as_of: dt.date, on: dt.date, by: Any,
) -> GuardRail:
    """A rule of a country from now on; a newer row of a code takes the place of the one before.

    Refused without a source or a name, with a value its kind does not take, and where ``as_of`` lies ahead.
    """
    demand(by, "policies.add_guardrail", "enter guard-rails")
    check_rail(country=country, kind=kind, value=value, name=name, source=source, as_of=as_of, on=on)
    return _kept(
        GuardRail(
            country=country.strip().upper(), code=code, kind=kind, value=dict(value), for_consumers=for_consumers,
            name=name.strip(), says=says.strip(), source=source.strip(), as_of=as_of,
        ), "guard_rail_added", by,
    )  # fmt: skip


def check_rail(
    *, country: str, kind: str, value: Mapping[str, Any], name: str, source: str, as_of: dt.date, on: dt.date
) -> None:
    """Refuse what ``add_rail`` would refuse of a rule; nothing is written."""
    country = country.strip().upper()
    if len(country) != 2 or not country.isalpha():
        raise Refused("Write the country as two letters, such as NO; EU for every member state.", where="country")
    for field, written, what in (("name", name, "what the rule is called"), ("source", source, "where it stands")):
        if not written.strip():
            raise Refused(f"Write {what}; a rule without it helps nobody.", code=f"no_{field}", where=field)
    if as_of > on:
        raise Refused("The day as of which it holds lies ahead; write the day you looked it up.", where="as_of")
    wrong = check_value(kind, value)
    if wrong:
        raise Refused(wrong, code="value", where="value")


def end_rail(row: GuardRail, *, because: str, on: dt.date, by: Any) -> GuardRail:
    """The rule holds no longer; a row that says so, and why, takes its place. Refused where it does not hold."""
    demand(by, "policies.add_guardrail", "take guard-rails out of force")
    if row not in standing_rails():
        raise Refused("This row does not hold any more; a newer one took its place.", code="not_standing")
    if not because.strip():
        raise Refused("Write why it does not hold any more, or where that stands.", where="because")
    ended = GuardRail(
        country=row.country, code=row.code, kind=row.kind, value=row.value, for_consumers=row.for_consumers,
        name=row.name, says=row.says, source=because.strip(), as_of=on, is_active=False,
    )  # fmt: skip
    return _kept(ended, "guard_rail_ended", by)


def seed_guard_rails(by: Any) -> int:
    """The rails as shipped, each once: a country and code of which there is a row stays as it is. Says how many."""
    with transaction.atomic():
        known = set(GuardRail.objects.values_list("country", "code"))
        new = [GuardRail(**row) for row in shipped_rows(by) if (row["country"], row["code"]) not in known]
        GuardRail.objects.bulk_create(new)
        for row in new:
            record(by, "guard_rail_added", row, summary=str(row))
    return len(new)


def shipped_rows(by: Any) -> list[dict[str, Any]]:
    """The rails as shipped, as the columns of a row; a migration makes rows of its own state of them."""
    return [rail._asdict() | {"value": dict(rail.value), "made_by": as_text(by)} for rail in shipped()]


def _kept(row: GuardRail, action: str, by: Any) -> GuardRail:
    row.made_by = as_text(by)
    with transaction.atomic():
        row.save()
        record(by, action, row, summary=str(row), diff={"value": row.value, "source": row.source})
    return row
