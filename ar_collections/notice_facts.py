"""What a reminder is about: to whom, for which items, with what paid, credited, disputed and claimed beside each."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from ar_collections.models import CopyOnce, Served
from clients.models import Client, Contact
from clients.services.status import NO_CREDIT, status_of
from invoices.credit_notes import credited_by
from invoices.interest import InterestLine
from invoices.models import Charge, Extension, Invoice
from invoices.parts import Part
from invoices.rates import MissingRate
from invoices.services.charging import compensation_due, entitled, fee_to_charge
from invoices.services.parts import parts_of_many
from outbox.kinds import NothingToSay
from outbox.models import Message
from policies.interest import NONE, Rule
from policies.models import Step, StepText

from .services.asking import cash_of, chased, may_be_asked
from .subjects import about
from .wording import manner_of

NOTHING = Decimal(0)
REMINDERS = ("plain", "firm")
LONGEST_COPIES = 640  # characters of outbox.Message.cc_addr


@dataclass(frozen=True)
class Item:
    """An invoice in a reminder: what is owed, what of it is disputed, and the step it is served with (if any).

    Of one in parts ``owed`` is what is due, since ``due_on``; ``later`` are the parts that are not, ``whole`` is all.
    ``interest``, ``compensation`` and ``fees`` are claimed beside it; ``fee_now`` is the part of the fees that this
    very message charges. ``starts_on`` is the first day that bears interest, ``extension`` the time
    agreed, ``reminded`` how often it was reminded of plainly or firmly before, ``rule`` that of its late interest,
    ``is_charged`` that some of it is charged already.
    """

    invoice: Invoice
    owed: Decimal
    disputed: Decimal
    step: Step | None = None
    interest: Decimal = NOTHING
    earned: tuple[InterestLine, ...] = ()
    due_on: dt.date = dt.date.min
    whole: Decimal = NOTHING
    later: tuple[Part, ...] = ()
    credited: Decimal = NOTHING
    compensation: Decimal = NOTHING
    fees: Decimal = NOTHING
    fee_now: Decimal = NOTHING
    starts_on: dt.date | None = None
    extension: Extension | None = None
    reminded: int = 0
    rule: Rule = NONE
    is_charged: bool = False

    @property
    def asked(self) -> Decimal:
        asked: Decimal = self.owed - self.disputed
        return asked

    @property
    def charged(self) -> Decimal:
        charged: Decimal = self.interest + self.compensation + self.fees
        return charged

    @property
    def paid(self) -> Decimal:
        paid: Decimal = self.invoice.total - self.whole - self.credited
        return max(paid, NOTHING)


@dataclass(frozen=True)
class Reminder:
    """All that a reminder says: to whom, about what, by which step.

    ``draft`` are words that somebody tries out, in place of those that hold for ``step``.
    """

    client: Client
    to: Contact
    copies: Sequence[str]
    step: Step
    items: Sequence[Item]
    cash: Mapping[str, Decimal]
    on: dt.date
    is_cash_only: bool = False
    copies_colleague: bool = False
    may_be_handed_over: bool = True
    draft: StepText | None = None

    @property
    def told(self) -> list[Item]:
        """The items served with a step, the furthest of which sets the tone."""
        return [item for item in self.items if item.step is not None]

    @property
    def net(self) -> dict[str, Decimal]:
        """What is asked for per currency, unapplied cash taken off, what is claimed for paying late added."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for item in self.items:
            sums[item.invoice.currency] += item.asked + item.charged
        return {currency: total - self.cash.get(currency, NOTHING) for currency, total in sums.items()}


def gather(message: Message, now: dt.datetime) -> Reminder:
    """What a reminder would say if it left at this moment; NothingToSay where nothing is left to say."""
    subject, on = about(message), message.on
    client = subject.client
    planned = {pk: step for pk, code, _cycle in message.payload["items"] if (step := subject.step_of(pk, code))}
    rows = {row.pk: row for row in _of_client(client, on) if row.owed > row.disputed}
    parts = message.payload.get("parts", {})
    # Where the part it was planned for is paid, the next one is not reminded of before its own day.
    told = {pk: step for pk, step in planned.items() if pk in rows and rows[pk].part_now == parts.get(str(pk), 1)}
    cash = cash_of(client.pk, on)
    message.__dict__["asked"] = ({pk: (row.owed, row.disputed) for pk, row in rows.items()}, cash)
    latest_due = max([on - dt.timedelta(days=1), *(rows[pk].due_day for pk in told)])
    listed = [row for row in rows.values() if row.due_day <= latest_due]
    covered = {c for c, total in sums_of(listed).items() if total <= cash.get(c, NOTHING)}
    told = {pk: step for pk, step in told.items() if rows[pk].currency not in covered}
    if not told:
        raise NothingToSay("paid, promised, disputed or paused since it was planned")
    step = max(told.values(), key=lambda step: (step.offset_days, step.pk))
    people = message.__dict__.pop("reachable", None) or list(client.contacts.reachable())
    once = CopyOnce.objects.waiting().filter(client=client).values_list("address", flat=True)
    to, copies = readers_of(people, once, set(told.values()), step)
    items = _items([row for row in listed if row.currency not in covered], told, on)
    currencies = {item.invoice.currency for item in items}
    standing, policy = status_of(client, on), step.policy
    return Reminder(
        client, to, copies, step, items, {c: amount for c, amount in cash.items() if amount > 0 and c in currencies},
        on, is_cash_only=standing is not None and standing.status in NO_CREDIT,
        copies_colleague=client.contacts.filter(email__in=copies).exists() if copies else False,
        may_be_handed_over=not policy.for_consumers and any(
            s.channel == "review" or s.moves_stage_to == "handed_over" for s in policy.steps.all()
        ),
        draft=message.__dict__.get("draft"),
    )


def asked_of(client: Client, on: dt.date) -> QuerySet[Any]:
    """What a client may be asked for on a day, invoice by invoice."""
    return may_be_asked(chased(client.company, on)).filter(client=client)


def _of_client(client: Client, on: dt.date) -> Iterator[Any]:
    """The same by the day they were due; all are of one client, who need not be read again with each."""
    for row in asked_of(client, on).select_related("intake").order_by("due_day", "pk"):
        row.client, row.company = client, client.company
        yield row


def readers_of(
    people: Iterable[Contact], once: Iterable[str], steps: Collection[Step], leading: Step
) -> tuple[Contact, list[str]]:
    """Whom the leading step addresses, else the next one who can be reached; and the addresses that get a copy.

    Copies go to the next contact, to the contact with the role a step names, to the addresses of a step, and to those
    that somebody asked for this ``once``: each once, never to the addressee, and never to whom mail came back from.
    """
    reachable = readers_in_order(people, leading)
    if not reachable:
        raise NothingToSay("nobody at the client's can be written to")
    to = reachable[0]
    wanted: list[str] = []
    if leading.cc_next_contact:
        others = [contact.email for contact in reachable[1:] if contact.email != to.email]
        wanted += others[:1]
    for step in sorted(steps, key=lambda step: step.pk or 0):
        wanted += [contact.email for contact in reachable if step.cc_role and contact.role == step.cc_role][:1]
        wanted += [address.strip() for address in step.recipients.split(",")]
    wanted += once
    taken = {to.email.casefold(): ""}
    copies = {address.casefold(): address for address in wanted if address and address.casefold() not in taken}
    return to, _as_many_as_fit(copies.values())


def _as_many_as_fit(copies: Iterable[str]) -> list[str]:
    """A message keeps its copies in one field; those asked for first come first."""
    found: list[str] = []
    for address in copies:
        if len(", ".join([*found, address])) > LONGEST_COPIES:
            break
        found.append(address)
    return found


def readers_in_order(people: Iterable[Contact], step: Step) -> list[Contact]:
    """People of one client: first whoever has the role that the step addresses, then by role."""
    order = {role: place for place, (role, _name) in enumerate(Contact.ROLES)}
    return sorted(people, key=lambda c: (c.role != step.addressee, order.get(c.role, len(order)), c.pk))


def leading_step(codes: Collection[str], steps: Iterable[Step]) -> Step | None:
    """The furthest of the steps a reminder was planned for: it sets the tone and says whom it addresses."""
    return next((step for step in reversed(list(steps)) if step.code in codes), None)


def sums_of(rows: Iterable[Any]) -> dict[str, Decimal]:
    """What is asked for on rows or items, per currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        invoice = row.invoice if isinstance(row, Item) else row
        sums[invoice.currency] += row.owed - row.disputed
    return sums


def by_currency(items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.invoice.currency].append(item)
    return found


def _items(rows: Sequence[Any], told: Mapping[int, Step], on: dt.date) -> list[Item]:
    in_parts = parts_of_many(row for row in rows if row.in_parts)
    credited, reminded = credited_by(rows), _reminded(rows, told)
    mails_before = reminders_before({pk: step for pk, step in told.items() if step.fee})
    charges: dict[int, list[Charge]] = defaultdict(list)
    for charge in Charge.objects.filter(invoice__in=[row.pk for row in rows], charged_on__lte=on).order_by():
        charges[charge.invoice_id].append(charge)
    agreed = Extension.objects.standing().filter(invoice__in=[row.pk for row in rows], agreed_on__lte=on)
    extensions = {extension.invoice_id: extension for extension in agreed.order_by("until_on", "pk")}
    found = []
    for row in rows:
        later = tuple(
            part for part in in_parts.get(row.pk, []) if part.due_on >= on and part.due_on > row.due_day and part.open
        )
        item = Item(
            row, row.owed, row.disputed, told.get(row.pk), due_on=row.due_day, whole=row.whole, later=later,
            credited=credited.get(row.pk, NOTHING), extension=extensions.get(row.pk), reminded=reminded.get(row.pk, 0),
        )
        found.append(_with_charges(item, charges[row.pk], on, mails_before.get(row.pk, 0)))
    return found


def _reminded(invoices: Sequence[Invoice], told: Mapping[int, Step]) -> dict[int, int]:
    """How often each was reminded of in plain or firm words, by the steps of its ladder."""
    steps = {step.code for one in told.values() for step in one.policy.steps.all() if manner_of(step) in REMINDERS}
    left = Q(message=None) | Q(message__state__in=("sent", "unknown"))
    rows = Served.objects.filter(left, invoice__in=invoices, step__in=steps, outcome="served")
    return Counter(rows.values_list("invoice_id", flat=True))


def reminders_before(told: Mapping[int, Step], message: Message | None = None) -> Counter[int]:
    """How many reminders since its due date reached the client, per invoice, without those of ``message``.

    By every step of its ladder that writes after the due date; one that came back is none.
    """
    if not told:
        return Counter()
    codes = {
        step.code for one in told.values() for step in one.policy.steps.all()
        if step.sends_mail and step.offset_days > 0
    }
    arrived = Served.objects.filter(
        message__state__in=("sent", "unknown"), invoice__in=told, step__in=codes, outcome="served"
    ).exclude(message__delivery="bounced")
    if message is not None:
        arrived = arrived.exclude(message=message)
    return Counter(arrived.values_list("invoice_id", flat=True))


def _with_charges(item: Item, charges: Sequence[Charge], on: dt.date, mails_before: int) -> Item:
    """Fees and compensation stand beside the item once charged; interest where a notice claims it, and in statements.

    What this very message charges, its fee and what it claims, is there already.
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for charge in charges:
        sums[charge.kind] += charge.balance
    item, step = replace(item, compensation=sums["compensation"], fees=sums["fee"]), item.step
    if step is None:
        return item
    if step.fee:
        fee, _bar = fee_to_charge(item.invoice, step, on=on, reminders_before=mails_before)
        item = replace(item, fees=item.fees + fee, fee_now=fee)
    if step.repeats_every_days:
        return replace(item, interest=sums["interest"])
    if not (step.claims_interest or step.interest_notice_days or step.tone in ("firm", "formal")):
        return item
    said = entitled(item.invoice, on)
    item = replace(item, rule=said.rule, starts_on=said.since, is_charged=bool(sums["interest"]))
    if not step.claims_interest:
        return item
    if said.is_noted or not said.rule.charges:
        return replace(item, interest=sums["interest"])
    return replace(
        item, interest=said.open, earned=said.claimed_lines if said.open else (),
        compensation=item.compensation + _compensation_due(item.invoice, on),
    )


def _compensation_due(invoice: Invoice, on: dt.date) -> Decimal:
    """The lump sum that the notice claims; it is owed whether or not the rate of the interest is known."""
    try:
        return compensation_due(invoice, on)
    except MissingRate:
        return NOTHING
