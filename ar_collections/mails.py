"""The reminder: one mail to a client for all that is due, written when it leaves from the facts of that moment."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from clients.services import lock_client
from core.dates import show_day
from core.mail import compose as write
from core.money import show
from invoices.credit_notes import credited_by
from invoices.documents import facts_of
from invoices.interest import InterestLine
from invoices.mails import attached
from invoices.models import Invoice
from invoices.parts import Part
from invoices.paying import percent, ways_to_pay
from invoices.pdf import PDF, letter_pdf, statement_pdf
from invoices.services.charging import accrued, interest_starts_on
from invoices.services.linking import link_for, url_of
from invoices.services.parts import parts_of_many
from outbox.kinds import Composed, Kind, NothingToSay, register
from outbox.models import Message
from policies.models import Step
from policies.terms import due_words, later_words

from .services.business_days import may_leave
from .services.deciding import NOTICE, cash_of, chased
from .services.serving import after
from .subjects import about
from .wording import Facts, interest_words, manner_of, paragraphs_of, subject_of

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Item:
    """An invoice in a reminder: what is owed, what of it is disputed, and the step it is served with (if any).

    Of one in parts ``owed`` is what is due, since ``due_on``; ``later`` are the parts that are not, ``whole`` is all.
    """

    invoice: Invoice
    owed: Decimal
    disputed: Decimal
    step: Step | None = None
    interest: Decimal = Decimal(0)
    earned: tuple[InterestLine, ...] = ()
    due_on: dt.date = dt.date.min
    whole: Decimal = Decimal(0)
    later: tuple[Part, ...] = ()

    @property
    def asked(self) -> Decimal:
        return self.owed - self.disputed


@dataclass(frozen=True)
class Reminder:
    """All that a reminder says: to whom, about what, by which step."""

    client: Client
    to: Contact
    copy: Contact | None
    step: Step
    items: Sequence[Item]
    cash: dict[str, Decimal]
    on: dt.date
    charges: bool = True

    @property
    def told(self) -> list[Item]:
        """The items served with a step, the furthest of which sets the tone."""
        return [item for item in self.items if item.step is not None]


def register_kinds() -> None:
    """Make the outbox know what this app sends."""
    register(Kind(NOTICE, compose=compose_notice, may_go=may_go, still=still, after=after, expires=expires))


def may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: its day or its window is over. What a person sends again is not bound to the window."""
    client = about(message).client
    if not client.contacts.reachable().exists():
        return "nobody at the client's can be written to"
    if ":r" in message.key:
        return ""
    if may_leave(client, message.on, about(message).policy, now):
        return ""
    return "the client's window is shut; it is planned afresh"


def still(message: Message, now: dt.datetime) -> str:
    """Why it has to be written anew: what it asks for is not what is owed any more, or "" where it still is.

    The client is locked until it is handed over, so that a payment is either seen here or came after it.
    """
    client, on = about(message).client, message.on
    lock_client(client.pk)
    rows = _may_be_asked(client, on).values_list("pk", "owed", "disputed")
    asked = ({pk: (owed, disputed) for pk, owed, disputed in rows if owed > disputed}, cash_of(client.pk, on))
    return "" if asked == message.__dict__.get("asked") else "something was paid or said while it was written"


def expires(message: Message, now: dt.datetime) -> bool:
    """A reminder is of its day: what has not left by its end is planned afresh from the facts of the next.

    Asked of every message that waits, so it asks the database nothing. What a person sends again has a day more.
    """
    until = message.payload.get("until")
    if until is None or ":r" in message.key:
        return now.date() > message.on + dt.timedelta(days=1)
    return now >= dt.datetime.fromisoformat(until)


def compose_notice(message: Message, now: dt.datetime) -> Composed:
    """Write a reminder from what is owed, promised, disputed and paused at this moment.

    What was paid since it was planned is dropped, and its step is not served; NothingToSay where nothing is left.
    """
    reminder = gather(message, now)
    if message.state == "claimed":
        message.payload["told"] = [item.invoice.pk for item in reminder.told]
        Message.objects.filter(pk=message.pk).update(payload=message.payload)
    language = reminder.to.speaks()
    with translation.override(language):
        return _written(reminder, now, language)


def gather(message: Message, now: dt.datetime) -> Reminder:
    """What a reminder would say if it left at this moment; NothingToSay where nothing is left to say."""
    client, policy, on = about(message).client, about(message).policy, message.on
    steps = {code: (place, step) for place, (code, step) in enumerate(about(message).steps.items())}
    planned = {pk: steps[code] for pk, code, _cycle in message.payload["items"] if code in steps}
    related = _may_be_asked(client, on).select_related("company", "client", "intake").order_by("due_day", "pk")
    rows = {row.pk: row for row in related if row.owed > row.disputed}
    parts = message.payload.get("parts", {})
    # Where the part it was planned for is paid, the next one is not reminded of before its own day.
    told = {
        pk: placed for pk, placed in planned.items() if pk in rows and rows[pk].part_now == parts.get(str(pk), 1)
    }
    cash = cash_of(client.pk, on)
    message.__dict__["asked"] = ({pk: (row.owed, row.disputed) for pk, row in rows.items()}, cash)
    latest_due = max([on - dt.timedelta(days=1), *(rows[pk].due_day for pk in told)])
    listed = [row for row in rows.values() if row.due_day <= latest_due]
    in_parts = parts_of_many(row for row in listed if row.in_parts)
    covered = {c for c, total in _sums(listed).items() if total <= cash.get(c, Decimal(0))}
    told = {pk: placed for pk, placed in told.items() if rows[pk].currency not in covered}
    if not told:
        raise NothingToSay("paid, promised, disputed or paused since it was planned")
    _place, step = max(told.values(), key=lambda placed: placed[0])
    to, copy = _readers(client, step)
    charges = policy.interest != "NONE"
    items = [
        _item(row, told[row.pk][1] if row.pk in told else None, on, charges=charges, parts=in_parts.get(row.pk, []))
        for row in listed if row.currency not in covered
    ]
    currencies = {item.invoice.currency for item in items}
    cash = {currency: amount for currency, amount in cash.items() if amount > 0 and currency in currencies}
    return Reminder(client, to, copy, step, items, cash, on, charges=charges)


def _written(reminder: Reminder, now: dt.datetime, language: str) -> Composed:
    manner, facts = manner_of(reminder.step), _facts(reminder, reminder.step, reminder.told, language)
    company, oldest = reminder.client.company, reminder.told[0].invoice
    links = {item.invoice.pk: url_of(link_for(item.invoice, reminder.to, now)) for item in reminder.items}
    subject = subject_of(manner, facts)
    context = {
        "company": company, "contact": reminder.to, "subject": subject,
        "paragraphs": _paragraphs(reminder, language),
        "tables": _tables(reminder, links, language), "ways": _ways(reminder), "signed_by": _signature(reminder),
        "link_url": links[oldest.pk], "link_label": _("See the invoice, pay or answer"),
        "derivations": [
            (item.invoice.number, _derivation(item, language)) for item in reminder.items if item.earned
        ],
        "why": _("You get this e-mail because %(client)s receives invoices from %(company)s.")
        % {"client": reminder.client.name, "company": company.name},
    }
    subject, text, html = write("reminder", context, language)
    return Composed(
        to_name=reminder.to.name, to_addr=reminder.to.email, cc_addr=reminder.copy.email if reminder.copy else "",
        subject=subject, text=text, html=html, from_name=company.name, reply_to=company.email,
        attachments=_attachments(reminder, subject, context, now),
    )


def _attachments(
    reminder: Reminder, subject: str, context: dict[str, Any], now: dt.datetime
) -> list[tuple[str, str, bytes]]:
    """The letter, the invoice again under it, or the statement of account: as the steps served ask for."""
    found = []
    open_items = [(item.invoice, item.asked) for item in reminder.items]
    if any(item.step and item.step.has_cover for item in reminder.told):
        closing = [_("Kind regards"), *context["signed_by"]]
        greeting = _("Hello %(name)s,") % {"name": reminder.to.name}
        derived = [f"{number}: {line}" for number, lines in context["derivations"] for line in lines]
        letter = letter_pdf(
            reminder.client, reminder.to, subject=subject,
            paragraphs=[greeting, *_paragraphs(reminder, reminder.to.speaks(), on_paper=True), *derived],
            items=open_items, on=reminder.on, closing=closing, beside=_beside(reminder),
        )
        found.append((f"{_('letter')}-{reminder.on.isoformat()}.pdf", PDF, letter))
    found += [
        attached(item.invoice, now, reminder.to) for item in reminder.told if item.step and item.step.attach_invoice
    ]
    if any(item.step and item.step.repeats_every_days for item in reminder.told):
        statement = statement_pdf(reminder.client, open_items, reminder.on, reminder.to)
        found.append((f"{_('statement')}-{reminder.on.isoformat()}.pdf", PDF, statement))
    return found


def _beside(reminder: Reminder) -> dict[str, list[tuple[str, Decimal]]]:
    """What stands in the letter's table beside the items: interest claimed, and cash that is taken off."""
    found: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for item in reminder.items:
        if item.interest:
            label = _("Interest on %(number)s") % {"number": item.invoice.number}
            found[item.invoice.currency].append((label, item.interest))
    for currency, cash in reminder.cash.items():
        found[currency].append((_("Payment received, not yet assigned"), -cash))
    return found


def _paragraphs(reminder: Reminder, language: str, *, on_paper: bool = False) -> list[str]:
    """The furthest step sets the tone; a mandatory notice that other items are served with is given beside it."""
    told = reminder.told
    facts = _facts(reminder, reminder.step, told, language)
    said = paragraphs_of(manner_of(reminder.step), replace(facts, by_post=facts.by_post and not on_paper))
    others = {item.step for item in told if item.step and item.step.mandatory and item.step != reminder.step}
    for step in sorted(others, key=lambda step: -step.offset_days):
        items = [item for item in told if item.step == step]
        numbers = ", ".join(str(item.invoice.number) for item in items)
        said.append(_("For %(numbers)s:") % {"numbers": numbers})
        said += paragraphs_of(manner_of(step), _facts(reminder, step, items, language))
    if on_paper:  # in a mail it stands below the item
        said += [f"{item.invoice.number}: {later}" for item in reminder.items for later in _later(item, language)]
    return said


def _facts(reminder: Reminder, step: Step, told: Sequence[Item], language: str) -> Facts:
    on, first = reminder.on, told[0]
    pay_by = on + dt.timedelta(days=step.pay_within_days) if step.pay_within_days else None
    interest: dict[str, Decimal] = defaultdict(Decimal)
    for item in told:
        interest[item.invoice.currency] += item.interest
    starts = _interest_starts(reminder, step, told)
    to_come = [start for start in starts if start > on]
    if pay_by and to_come and pay_by >= min(to_come):
        pay_by = min(to_come) - dt.timedelta(days=1)  # the day of a payment still bears interest
    return Facts(
        count=len(told),
        number=str(first.invoice.number),
        total=_amounts(_net(reminder) if step == reminder.step else _sums(told), language),
        due=show_day(first.due_on, language),
        oldest_due=show_day(first.due_on, language),
        pay_by=show_day(pay_by, language) if pay_by else "",
        interest_notice=_interest_notice(starts, told, on, language),
        may_charge=reminder.charges and any(item.invoice.late_percent > 0 for item in told),
        interest=_amounts({c: amount for c, amount in interest.items() if amount}, language),
        copied=reminder.copy is not None,
        by_post=step.channel == "letter",
    )


def _interest_starts(reminder: Reminder, step: Step, told: Sequence[Item]) -> dict[dt.date, list[Item]]:
    """From which day which of the items a step gives notice for bear interest: as told before, or as told now."""
    starts: dict[dt.date, list[Item]] = defaultdict(list)
    if reminder.charges and step.interest_notice_days:
        notice = reminder.on + dt.timedelta(days=step.interest_notice_days)
        for item in told:
            if item.step == step and item.invoice.late_percent > 0:
                starts[interest_starts_on(item.invoice) or notice].append(item)
    return starts


def _interest_notice(starts: dict[dt.date, list[Item]], told: Sequence[Item], on: dt.date, language: str) -> str:
    """The notice of interest in words; where it is not the same for all items, it names those it is about."""
    said = []
    for start, items in sorted(starts.items()):
        rates = sorted({item.invoice.late_percent for item in items})
        words = interest_words(
            show_day(start, language), " / ".join(percent(rate, language) for rate in rates), is_running=start <= on
        )
        numbers = ", ".join(str(item.invoice.number) for item in items)
        names = _("For %(numbers)s:") % {"numbers": numbers}
        said.append(words if len(items) == len(told) else f"{names} {words}")
    return " ".join(said)


def _tables(reminder: Reminder, links: dict[int, str], language: str) -> list[dict[str, Any]]:
    """Per currency: every item with its total, what was paid and what is asked, credits taken off, the sum."""
    tables = []
    for currency, items in sorted(_by_currency(reminder.items).items()):
        cash, credited = reminder.cash.get(currency), credited_by(item.invoice for item in items)
        tables.append(
            {
                "currency": currency,
                "rows": [
                    _row(item, credited.get(item.invoice.pk, NOTHING), reminder.on, links[item.invoice.pk], language)
                    for item in items
                ],
                "credit": show(-cash, currency, language) if cash else "",
                "total": show(_net(reminder)[currency], currency, language),
            }
        )
    return tables


def _row(item: Item, credited: Decimal, on: dt.date, link: str, language: str) -> dict[str, Any]:
    invoice, currency = item.invoice, item.invoice.currency
    paid = max(invoice.total - item.whole - credited, NOTHING)
    return {
        "number": invoice.number, "po_number": invoice.po_number, "link": link,
        "due": due_words(item.due_on, on, language), "later": _later(item, language),
        "asked": show(item.asked, currency, language),
        "total": show(invoice.total, currency, language) if item.asked != invoice.total else "",
        "paid": show(paid, currency, language) if paid else "",
        "credited": show(credited, currency, language) if credited else "",
        "disputed": show(item.disputed, currency, language) if item.disputed else "",
        "interest": show(item.interest, currency, language) if item.interest else "",
    }


def _ways(reminder: Reminder) -> tuple[Any, ...]:
    """How to pay, where one sum in one currency says what to pay; the private pages say it for every invoice."""
    net = _net(reminder)
    if len(net) != 1 or len(reminder.items) != 1:
        return ()
    invoice = reminder.items[0].invoice
    (currency, amount), = net.items()
    return ways_to_pay(
        facts_of(invoice), amount=amount, currency=currency, reference=invoice.reference, number=str(invoice.number)
    )


def _signature(reminder: Reminder) -> list[str]:
    """The named manager of the account, where it has one, and the company."""
    owner = reminder.client.owner
    name = owner.get_full_name() if owner else ""
    return [line for line in (name, reminder.client.company.name) if line]


def _net(reminder: Reminder) -> dict[str, Decimal]:
    """What is asked for per currency, unapplied cash taken off, claimed interest added."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for item in reminder.items:
        sums[item.invoice.currency] += item.asked + item.interest
    return {currency: total - reminder.cash.get(currency, Decimal(0)) for currency, total in sums.items()}


def _amounts(sums: dict[str, Decimal], language: str) -> str:
    return " + ".join(show(amount, currency, language) for currency, amount in sorted(sums.items()))


def _by_currency(items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.invoice.currency].append(item)
    return found


def _sums(rows: Iterable[Any]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        invoice = row.invoice if isinstance(row, Item) else row
        sums[invoice.currency] += row.owed - row.disputed
    return sums


def _later(item: Item, language: str) -> list[str]:
    """What of an invoice in parts is not due yet, part by part."""
    return [later_words(part.open, item.invoice.currency, part.due_on, language) for part in item.later]


def _item(row: Any, step: Step | None, on: dt.date, *, charges: bool, parts: Sequence[Part] = ()) -> Item:
    later = tuple(part for part in parts if part.due_on >= on and part.due_on > row.due_day and part.open)
    one = Item(row, row.owed, row.disputed, step, due_on=row.due_day, whole=row.whole, later=later)
    open_charges = Decimal(0)
    if step is not None and (step.claims_interest or step.repeats_every_days):
        open_charges = sum((c.balance for c in row.charges.filter(charged_on__lte=on)), Decimal(0))
    if not charges or step is None or not step.claims_interest or row.late_percent <= 0:
        return replace(one, interest=open_charges)
    earned = accrued(row, on)
    return replace(one, interest=open_charges + earned.uncharged, earned=earned.interest.lines)


def _derivation(item: Item, language: str) -> list[str]:
    """How the interest came about, line by line, for the reader."""
    currency = item.invoice.currency
    return [
        _("%(from)s to %(to)s: %(days)d days on %(balance)s at %(rate)s") % {
            "from": show_day(line.from_on, language, "short"), "to": show_day(line.to_on, language, "short"),
            "days": line.days, "balance": show(line.balance, currency, language),
            "rate": percent(line.percent, language),
        }
        for line in item.earned
    ]


def _may_be_asked(client: Client, on: dt.date) -> QuerySet[Any]:
    return chased(client.company, on).filter(client=client, promised=False, paused=False, in_flight=False)


def _readers(client: Client, step: Step) -> tuple[Contact, Contact | None]:
    """Whom the step addresses, else the next one who can be reached; and the next contact for the copy."""
    reachable = readers_in_order(client.contacts.reachable(), step)
    if not reachable:
        raise NothingToSay("nobody at the client's can be written to")
    others = [contact for contact in reachable[1:] if contact.email != reachable[0].email]
    return reachable[0], others[0] if step.cc_next_contact and others else None


def readers_in_order(people: Iterable[Contact], step: Step) -> list[Contact]:
    """People of one client: first whoever has the role that the step addresses, then by role."""
    order = {role: place for place, (role, _name) in enumerate(Contact.ROLES)}
    return sorted(people, key=lambda c: (c.role != step.addressee, order.get(c.role, len(order)), c.pk))


def leading_step(codes: Collection[str], steps: Iterable[Step]) -> Step | None:
    """The furthest of the steps a reminder was planned for: it sets the tone and says whom it addresses."""
    return next((step for step in reversed(list(steps)) if step.code in codes), None)
