"""Messages that wait for a person: the first run after an import or a new installation, and a surge."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ar_collections.models import Hold, Served
from audit.services import record
from core.errors import Refused
from core.models import Company, Tick, as_text
from outbox.models import Message
from outbox.services import discard, release
from policies.models import Policy
from policies.services import policy_of

from .approving import pass_over
from .waiting import wait_for_windows

PLAN_TICK = "collections.plan"
LONGEST_SILENCE = dt.timedelta(hours=48)
CLOCK_SLACK = dt.timedelta(minutes=5)
CLOCKS_APART = dt.timedelta(seconds=5)
LOOK_BACK_DAYS = 30


def hold_first_run(company: Company, *, reason: str = "import", detail: str = "", by: Any) -> Hold:
    """Keep the company's next messages back until a person has seen and released them.

    A hold that is open already stays and takes the new detail in.
    """
    with transaction.atomic():
        hold, made = Hold.objects.get_or_create(
            company=company, ended_at=None, defaults={"reason": reason, "detail": detail[:300]}
        )
        if not made and detail and detail not in hold.detail:
            hold.detail = "; ".join(filter(None, [hold.detail, detail]))[:300]
            hold.save(update_fields=["detail"])
        record(by, "messages_held", hold, summary=f"{reason}: {detail}")
    return hold


def release_hold(hold: Hold, *, by: Any, now: dt.datetime | None = None) -> int:
    """Let the held messages go, each in its client's window; answers how many. Refused where the hold has ended.

    Where that is shut at the moment (``now``) they wait for the next one; without ``now`` they are sent as of their
    own day.
    """
    with transaction.atomic():
        _end(hold, released=True, by=by)
        if now is not None:
            wait_for_windows(Message.objects.filter(held_for=hold.key, state="held"), hold.company, now)
        return release(hold.key, by)


def discard_hold(hold: Hold, *, by: Any) -> int:
    """Throw the held messages away; answers how many. Refused where the hold has ended.

    Their steps count as passed over, so that the same message does not come back tomorrow; a mandatory notice
    does come back, because it is never skipped.
    """
    with transaction.atomic():
        _end(hold, released=False, by=by)
        of_others = Message.objects.filter(held_for=hold.key, state="held").filter(
            Q(payload__has_key="policy") | Q(payload__has_key="policies")
        )
        pass_over(of_others)
        held = Served.objects.filter(message__held_for=hold.key, message__state="held").exclude(message__in=of_others)
        days = held.order_by("-on").values_list("on", flat=True)[:1]
        for on in days:
            mandatory = [s.code for s in policy_of(hold.company, on).steps.all() if s.mandatory]
            held.exclude(step__in=mandatory).update(outcome="skipped", because="discarded", message=None)
        return discard(hold.key, by)


def hold_for(company: Company, on: dt.date, new: int, *, policy: Policy, now: dt.datetime) -> Hold | None:
    """The hold that today's messages fall under: one that is open, or a new one where the breaker trips.

    It trips where more messages would leave than on any usual day, where the planner was silent for more than
    two days, and where the clock cannot be trusted: it went backwards, or the database's tells another time; not
    again on a day on which a person released a hold. Silence and clock are asked about also where nothing is to leave
    at the moment: the next run would find that the planner ran a minute ago.
    """
    standing = Hold.objects.filter(company=company, ended_at=None).first()
    if standing or _released_lately(company, on, now):
        return standing
    because = _untimely(now) or (_surge(company, on, new, policy) if new else "")
    return hold_first_run(company, reason="surge", detail=because, by="system") if because else None


def _released_lately(company: Company, on: dt.date, now: dt.datetime) -> bool:
    released = Hold.objects.filter(company=company, released=True, ended_at__gt=now - dt.timedelta(days=2))
    return any(hold.ended_at.astimezone(company.zone).date() >= on for hold in released if hold.ended_at)


def _untimely(now: dt.datetime) -> str:
    last = Tick.objects.filter(name=PLAN_TICK).values_list("started_at", flat=True).first()
    if last and now < last - CLOCK_SLACK:
        return _("the clock went backwards: the last run was at %(at)s") % {"at": f"{last:%Y-%m-%d %H:%M} UTC"}
    if last and now > last + LONGEST_SILENCE:
        return _("nothing was planned since %(at)s") % {"at": f"{last:%Y-%m-%d %H:%M} UTC"}
    apart = abs(database_now() - timezone.now())
    if apart > CLOCKS_APART:
        seconds = round(apart.total_seconds())
        return _("the clock of the database and ours are %(seconds)d seconds apart") % {"seconds": seconds}
    return ""


def _surge(company: Company, on: dt.date, new: int, policy: Policy) -> str:
    if new <= policy.surge_floor:
        return ""
    days = (
        Served.objects.filter(
            invoice__company=company, message__isnull=False, on__gte=on - dt.timedelta(days=LOOK_BACK_DAYS), on__lte=on
        )
        .order_by().values("on").annotate(n=Count("message", distinct=True)).values_list("on", "n")
    )
    per_day = dict(days)
    batch = new + per_day.pop(on, 0)
    usual = max(policy.surge_floor, policy.surge_factor * max(per_day.values(), default=0))
    if batch <= usual:
        return ""
    return _("%(batch)d messages on one day, where %(usual)d are the most") % {"batch": batch, "usual": usual}


def database_now() -> dt.datetime:
    """The instant by the database's clock; by our own where the database has none (SQLite)."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (instant,) = cursor.fetchone()
    return instant  # type: ignore[no-any-return]


def held_messages(hold: Hold) -> list[Message]:
    """What a hold keeps back, for the person who decides."""
    return list(Message.objects.filter(held_for=hold.key, state="held").order_by("party"))


def _end(hold: Hold, *, released: bool, by: Any) -> None:
    ended = Hold.objects.filter(pk=hold.pk, ended_at=None).update(
        ended_at=timezone.now(), ended_by=as_text(by)[:150], released=released
    )
    if not ended:
        raise Refused("These messages were already decided on; load the page again.", code="hold_ended")
    record(by, "hold_released" if released else "hold_discarded", hold)
    hold.refresh_from_db()
