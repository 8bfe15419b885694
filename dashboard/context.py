"""What the frame of every page at the desk shows: the counts in the rail, and what has to be said above everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ar_collections.models import Hold, Promise, Task
from ar_collections.services.approving import APPROVAL
from ar_collections.services.promising import with_state
from core.models import BankAccount, Company, Installation, PaymentMethod, Tick
from dashboard.desk import Desk
from dashboard.reports.credit_desk import marks_at_limit, proposals_of
from dashboard.reports.outbox import attention, messages_of
from dashboard.reports.payments import payments_of
from disputes.models import Dispute
from invoices.models import CompletedWork, ProForma, RecurringRun
from outbox.models import Message, Outage
from payments.services.hearing import needing_person

# What runs by itself: for how long it may be silent, and what has not happened then.
SWEEPS = {
    "outbox.deliver": (dt.timedelta(minutes=5), gettext_lazy("No mail was looked after")),
    "collections.plan": (dt.timedelta(minutes=10), gettext_lazy("No reminders were planned")),
    "collections.apply_late_interest": (dt.timedelta(minutes=10), gettext_lazy("No interest was looked at")),
    "invoices.invoice_work": (dt.timedelta(minutes=10), gettext_lazy("No completed work was invoiced")),
    "invoices.invoice_recurring": (dt.timedelta(minutes=10), gettext_lazy("No recurring invoice was looked at")),
    "core.housekeeping": (dt.timedelta(minutes=45), gettext_lazy("Nothing was tidied up")),
}  # fmt: skip
CHECKED = "housekeeping:check ledger"
DOUBTFUL, DOUBT = "doubtful", dt.timedelta(minutes=15)
TO_APPROVE = "to_approve"
LATELY = dt.timedelta(days=14)  # older cash that nobody put anywhere is a tab of the payments, not news
# What the banners ask first whether there is any: all is well as a rule, and then nothing more is asked.
OUTAGES, PAUSED, HOLDS, WAYS = "outages", "paused", "holds", "ways_to_pay"
_began = timezone.now()


def frame(request: HttpRequest) -> dict[str, Any]:
    """The desk, the counts and the banners; nothing on pages outside the desk."""
    desk = getattr(request, "desk", None)
    if desk is None:
        return {}
    waiting = counts(desk)
    return {"desk": desk, "nav": {"counts": waiting}, "banners": list(banners(desk, waiting))}


def counts(desk: Desk) -> dict[str, int]:
    """What waits for a person, by page, and whether a banner has anything to say.

    Asked in one statement, since every page asks it.
    """
    minute = desk.now.replace(second=0, microsecond=0)
    providers = tuple(settings.PAYMENT_PROVIDERS)
    with connection.cursor() as cursor:
        cursor.execute(*_question(desk.company, tuple(desk.companies), desk.on, minute, providers))
        return dict(cursor.fetchall())


@lru_cache(maxsize=64)
def _question(
    company: Company, companies: tuple[Company, ...], on: dt.date, now: dt.datetime, providers: tuple[str, ...]
) -> tuple[str, tuple[Any, ...]]:
    """The statement that counts what waits; its words, never its answer, are kept for the minute they hold."""
    due = Q(snoozed_until=None) | Q(snoozed_until__lte=on)
    promised = Promise.objects.filter(client__company=company, promised_for__lte=on, pauses_until__gte=on)
    messages = messages_of(company, companies)
    unapplied = payments_of(company).filter(received_on__gt=on - LATELY, left__gt=0)
    waiting: dict[str, QuerySet[Any]] = {
        "collections": Task.objects.filter(due, company=company, closed_on=None, due_on__lte=on),
        "work": CompletedWork.objects.stuck().filter(company=company),
        "recurring": RecurringRun.objects.stuck().filter(recurring__company=company),
        "credit": proposals_of(company),
        "at_limit": marks_at_limit(company),
        "payments": unapplied.exclude(pro_forma__in=ProForma.objects.standing()),
        "promises": with_state(promised, on).filter(state="open"),
        "disputes": Dispute.objects.open_on(on).filter(invoice__company=company),
        "outbox": attention(messages, now),
        DOUBTFUL: messages.filter(kind="invoice", state="unknown", unknown_at__lt=now - DOUBT),
        TO_APPROVE: messages.filter(state="held", held_for__startswith=APPROVAL),
        "provider_events": needing_person(company),
        OUTAGES: Outage.objects.filter(ended_at=None),
        PAUSED: Installation.objects.filter(sending_paused_at__isnull=False),
        HOLDS: Hold.objects.filter(company=company, ended_at=None),
        WAYS: usable_ways(company, providers),
    }
    asked: list[str] = []
    given: list[Any] = []
    for page, rows in waiting.items():
        words, facts = rows.order_by().values("pk").query.sql_with_params()
        asked.append(f"SELECT '{page}', COUNT(*) FROM ({words}) AS {page}_rows")  # noqa: S608 - words of our own
        given += facts
    return " UNION ALL ".join(asked), tuple(given)


def banners(desk: Desk, waiting: Mapping[str, int] | None = None) -> Iterator[dict[str, Any]]:
    """What is not as it should be, the gravest first, each with the way to mend it."""
    outbox = reverse("dashboard:outbox")
    waiting = waiting or counts(desk)
    outage = Outage.objects.filter(ended_at=None).order_by("since").first() if waiting[OUTAGES] else None
    if outage is not None:
        since = {"at": _wall(outage.since, desk)}
        yield {
            "tone": "bad", "text": _("The mail server cannot be reached since %(at)s.") % since,
            "detail": _("Messages wait and leave once it answers. It said: %(words)s") % {"words": outage.said},
            "url": outbox, "action": _("To the outbox"),
        }  # fmt: skip
    paused = Installation.objects.filter(sending_paused_at__isnull=False).first() if waiting[PAUSED] else None
    if paused is not None:
        yield {
            "tone": "bad", "text": _("Nothing is sent at the moment."), "detail": paused.sending_paused_because,
            "url": outbox, "action": _("Look and resume"),
        }  # fmt: skip
    ticks = {tick.name: tick for tick in Tick.objects.filter(Q(name__in=SWEEPS) | Q(name__startswith=CHECKED))}
    yield from _violations(desk, ticks)
    yield from _doubtful(waiting[DOUBTFUL])
    yield from _card_payments(waiting["provider_events"])
    yield from _late(desk, ticks)
    yield from _held(desk.company) if waiting[HOLDS] else ()
    yield from _to_approve(waiting[TO_APPROVE])
    if settings.MAIL_TRANSPORT == "file":
        yield {
            "tone": "info", "text": _("Mail is written to files, not sent."),
            "detail": _("No mail server is configured; every message can be read in the outbox."),
            "url": outbox, "action": _("To the outbox"),
        }  # fmt: skip
    if waiting[WAYS] < 2:
        yield _too_few_ways(desk.company)


def _violations(desk: Desk, ticks: Mapping[str, Tick]) -> Iterator[dict[str, Any]]:
    """What the checks of the ledger found when they last ran by themselves."""
    for name, tick in ticks.items():
        found = tick.result.get("violations") if name.startswith(CHECKED) else None
        if found and tick.ended_at:
            said = {"at": _wall(tick.ended_at, desk), "codes": ", ".join(v["code"] for v in found)}
            yield {
                "tone": "bad", "text": _("The books contradict themselves (%(codes)s, found %(at)s).") % said,
                "detail": _("Correct nothing by hand; “manage.py check_ledger” names the rows concerned."),
            }  # fmt: skip
            return


def _doubtful(n: int) -> Iterator[dict[str, Any]]:
    """Invoices that may or may not have arrived, for longer than a quarter of an hour."""
    if n:
        text = ngettext("%(n)d invoice may or may not have arrived.", "%(n)d invoices may or may not have arrived.", n)
        yield {
            "tone": "warn", "text": text % {"n": n},
            "detail": _("Ask the client or look at the mail server, then say so in the outbox."),
            "url": reverse("dashboard:outbox") + "?state=unknown", "action": _("Look at them"),
        }  # fmt: skip


def _card_payments(n: int) -> Iterator[dict[str, Any]]:
    """What a payment provider said and does not fit."""
    if n:
        text = ngettext(
            "%(n)d word of a payment provider waits for you.", "%(n)d words of a payment provider wait for you.", n
        )
        yield {
            "tone": "warn", "text": text % {"n": n},
            "detail": _("Money may have arrived that is not in the books yet."),
            "url": reverse("dashboard:provider_events"), "action": _("Look at them"),
        }  # fmt: skip


def _held(company: Company) -> Iterator[dict[str, Any]]:
    """A batch that waits for a person, and how many messages are in it so far."""
    for hold in Hold.objects.filter(company=company, ended_at=None):
        n = Message.objects.filter(held_for=hold.key, state="held").count()
        text = ngettext("%(n)d reminder waits for your release", "%(n)d reminders wait for your release", n) % {"n": n}
        if not n:
            text = _("The next reminders wait for your release")
        yield {
            "tone": "warn", "text": f"{text}: {hold.get_reason_display()}.", "detail": hold.detail,
            "url": reverse("dashboard:outbox_hold", args=[hold.pk]), "action": _("See every one"),
        }  # fmt: skip


def _to_approve(n: int) -> Iterator[dict[str, Any]]:
    """Messages of today with a step that wants a person's approval."""
    if n:
        text = ngettext("%(n)d reminder waits for your approval.", "%(n)d reminders wait for your approval.", n)
        yield {
            "tone": "warn", "text": text % {"n": n},
            "detail": _("What is not approved today is planned afresh tomorrow."),
            "url": reverse("dashboard:approvals"), "action": _("See every one"),
        }  # fmt: skip


def _late(desk: Desk, ticks: Mapping[str, Tick]) -> Iterator[dict[str, Any]]:
    """Sweeps that have not ended well for longer than they may; one line where nothing runs at all.

    A process that has just begun waits as long before it speaks: the worker begins beside it.
    """
    ended = {name: ticks[name].ended_at for name in SWEEPS if name in ticks}
    wrong = {name: ticks[name].error for name in ended}
    now = desk.now
    late = [name for name, (may, _what) in SWEEPS.items() if now - max(ended.get(name) or _began, _began) > may]
    if len(late) == len(SWEEPS):
        last = max((at for at in ended.values() if at), default=None)
        text = _("Nothing has run by itself yet.")
        if last is not None:
            text = _("Nothing has run by itself since %(at)s.") % {"at": _wall(last, desk)}
        detail = _("Reminders and mail wait for the worker; “manage.py serve” runs it.")
        yield {"tone": "warn", "text": text, "detail": detail}
        return
    for name in late:
        at, what = ended.get(name), SWEEPS[name][1]
        since = _("since %(at)s") % {"at": _wall(at, desk)} if at else _("yet")
        detail = wrong.get(name) or _("It is tried again every minute; the log of the worker says more.")
        yield {"tone": "warn", "text": f"{what} {since}.", "detail": detail}


def _wall(at: dt.datetime, desk: Desk) -> str:
    """An instant as the clock on the company's wall shows it."""
    return f"{timezone.localtime(at, desk.company.zone):%Y-%m-%d %H:%M}"


def usable_ways(company: Company, providers: Sequence[str]) -> QuerySet[PaymentMethod]:
    """The ways to pay that work in the company's currency: a transfer needs an account, a card a provider."""
    account = BankAccount.objects.filter(company=company, currency=OuterRef("company__currency"), is_active=True)
    offered = PaymentMethod.objects.filter(
        Q(currency="") | Q(currency=F("company__currency")), company=company, is_active=True
    )
    works = (
        ~Q(kind__in=("transfer", "card"))
        | Q(kind="transfer", has_account=True)
        | Q(kind="card", provider__in=providers)
    )
    return offered.annotate(has_account=Exists(account)).filter(works)


def _too_few_ways(company: Company) -> dict[str, Any]:
    """That a client of the company has no choice how to pay, or cannot pay at all."""
    way = usable_ways(company, settings.PAYMENT_PROVIDERS).first()
    text = _("%(company)s offers no way to pay.")
    if way:
        text = _("%(company)s offers a single way to pay: %(way)s.")
    return {
        "tone": "info" if way else "warn",
        "text": text % {"company": company, "way": way.get_kind_display() if way else ""},
        "detail": _("Whoever can choose pays sooner. A transfer needs an account of yours, a card a provider."),
        "url": reverse("admin:core_company_change", args=[company.pk]), "action": _("Add another"),
    }  # fmt: skip
