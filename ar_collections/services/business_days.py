"""When a client can be written to: the business days of its country, a company's own closed days, its window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from ar_collections.reminders import first_moment
from clients.models import Client
from core.batches import once_in_a_batch
from core.closed_days import public_holidays
from core.models import Company, Holiday
from policies.models import Policy
from policies.quiet_periods import is_quiet
from policies.services.precedence import own_name

from .choosing import InUse, as_in_use

# Time zone and country as the client's file has them (empty: the company's); and its policy, where it is not that of
# the company.
Place = tuple[str, ...]
A_YEAR = 366


@once_in_a_batch
def own_closed_days(company: Company, on: dt.date) -> frozenset[dt.date]:
    """The days from a day on, on which the company itself chases nobody."""
    return frozenset(Holiday.objects.filter(company=company, on__gte=on).values_list("on", flat=True))


def closed_days(company: Company, country: str, on: dt.date, own: frozenset[dt.date]) -> frozenset[dt.date]:
    """Public holidays of the client's country (the company's, where it is not known), and the company's own."""
    where = country or company.country
    return own | public_holidays(where, on.year) | public_holidays(where, on.year + 1)


def start_of_day(company: Company, on: dt.date) -> dt.datetime:
    """The instant at which a business date of the company begins."""
    return dt.datetime.combine(on, dt.time(), tzinfo=company.zone).astimezone(dt.UTC)


def quiet_days(policy: Policy, on: dt.date) -> frozenset[dt.date]:
    """The days of a year from a day on, on which the policy leaves everybody in peace."""
    if not policy.quiet_periods:
        return frozenset()
    days = (on + dt.timedelta(days=n) for n in range(A_YEAR))
    return frozenset(day for day in days if is_quiet(day, policy.quiet_periods))


def openings(
    company: Company, on: dt.date, policies: Policy | InUse, now: dt.datetime | None
) -> Mapping[Place, dt.datetime]:
    """For every place the company has clients in: from when a message of that business date may leave.

    The window is that of the client's policy. A place is missing where its window does not open on that date any more
    (a weekend, a holiday, a quiet period, too late in the day). Without ``now`` the date is taken from its beginning.
    """
    policies, begins = as_in_use(policies), start_of_day(company, on)
    earliest = max(now, begins) if now else begins
    clients = Client.objects.filter(company=company).order_by()
    places: Iterable[Place] = clients.values_list("time_zone", "country").distinct()
    if not policies.is_single:
        places = clients.annotate(own=own_name()).values_list("time_zone", "country", "own").distinct()
    found, own = {}, own_closed_days(company, on)
    quiet = {policy.name: quiet_days(policy, on) for policy in policies}
    for time_zone, country, *names in places:
        policy = policies.named(names[0] if names else "")
        moment = first_moment(
            earliest, ZoneInfo(time_zone or company.time_zone), policy.window_opens, policy.window_closes,
            closed_days(company, country, on, own) | quiet[policy.name],
        )
        if moment.astimezone(company.zone).date() == on:
            found[(time_zone, country, *filter(None, names))] = moment
    return found


def may_leave(client: Client, on: dt.date, policy: Policy, now: dt.datetime) -> bool:
    """Whether the client's window stands open at an instant that still belongs to the company's business date."""
    company = client.company
    moment = first_moment(
        now, client.zone, policy.window_opens, policy.window_closes,
        closed_days(company, client.country, on, own_closed_days(company, on)) | quiet_days(policy, on),
    )
    return moment <= now and now.astimezone(company.zone).date() == on
