"""What the pages of the outbox read: messages with whom and what they are about, counted by state; their history."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from ar_collections.mails import leading_step, readers_in_order
from ar_collections.models import Hold
from audit.models import Event
from clients.models import Client, Contact
from core.models import Company
from invoices.models import Invoice
from outbox.models import Message
from policies.models import CompanyPolicy, Step

TABS = {
    "all": (gettext_lazy("All"), ()),
    "held": (gettext_lazy("Held"), ("held",)),
    "waiting": (gettext_lazy("Waiting"), ("pending", "claimed", "handing")),
    "sent": (gettext_lazy("Sent"), ("sent",)),
    "bounced": (gettext_lazy("Came back"), ()),
    "unknown": (gettext_lazy("Unknown"), ("unknown",)),
    "failed": (gettext_lazy("Failed"), ("failed",)),
    "cancelled": (gettext_lazy("Cancelled"), ("cancelled",)),
}  # fmt: skip
KINDS = {
    "notice": pgettext_lazy("message", "Reminder"), "invoice": pgettext_lazy("message", "Invoice"),
    "pro_forma": pgettext_lazy("message", "Pro forma"),
    "new_link": pgettext_lazy("message", "Fresh link"), "credit_terms": pgettext_lazy("message", "Credit terms"),
    "receipt": pgettext_lazy("message", "Receipt"), "credit_note": pgettext_lazy("message", "Credit note"),
    "statement": pgettext_lazy("message", "Statement of account"),
    "invoice_again": pgettext_lazy("message", "Invoice again"),
    "greeting": pgettext_lazy("message", "Greeting"), "invoice_test": pgettext_lazy("message", "Test of an invoice"),
}  # fmt: skip
CAME_BACK = "bounced"
LOOKED_BACK = dt.timedelta(days=30)  # what failed longer ago calls for nobody's attention any more
_AGAIN = re.compile(r":r\d+$")
_WRITTEN = re.compile(r"written to ([0-9A-Za-z-]+\.eml)")


@dataclass
class Row:
    """A message with its client, the items it is about (each with its step, if it has one), and its reader."""

    message: Message
    client: Client | None = None
    items: list[tuple[Invoice, str]] = field(default_factory=list)
    contact: Contact | None = None

    @property
    def kind(self) -> str:
        return str(KINDS.get(self.message.kind, self.message.kind))

    @property
    def steps(self) -> str:
        """The steps its invoices are served with, each once."""
        return ", ".join(dict.fromkeys(step for _invoice, step in self.items if step))

    @property
    def title(self) -> str:
        """The subject once it is written; before that, what it is about."""
        return self.message.subject or self.steps or self.kind

    @property
    def to_name(self) -> str:
        return self.message.to_name or (self.contact.name if self.contact else "")

    @property
    def to_addr(self) -> str:
        return self.message.to_addr or (self.contact.email if self.contact else "")

    @property
    def is_written(self) -> bool:
        """What it says is frozen; it was handed over at least once."""
        return bool(self.message.subject)


def messages_of(company: Company, companies: Sequence[Company]) -> QuerySet[Message]:
    """The messages to a company's clients; where it is the only company, every message there is."""
    if len(companies) == 1:
        return Message.objects.all()
    party = Concat(Value("client:"), Cast("pk", CharField()), output_field=CharField())
    clients = Client.objects.filter(company=company).order_by().annotate(as_party=party)
    return Message.objects.filter(Q(party__in=clients.values("as_party")) | Q(party=""))


def counts_of(messages: QuerySet[Message]) -> dict[str, int]:
    """How many messages stand under each tab."""
    by_state = Counter(dict(messages.order_by().values_list("state").annotate(n=Count("pk"))))
    counts = {tab: sum(by_state[s] for s in states or by_state) for tab, (_label, states) in TABS.items()}
    return counts | {CAME_BACK: under(messages, CAME_BACK).count()}


def under(messages: QuerySet[Message], tab: str) -> QuerySet[Message]:
    """The messages that stand under a tab; all of them where there is no such tab."""
    if tab == CAME_BACK:
        return messages.filter(delivery=CAME_BACK)
    states = TABS[tab][1] if tab in TABS else ()
    return messages.filter(state__in=states) if states else messages


def found(messages: QuerySet[Message], wanted: str) -> QuerySet[Message]:
    """Messages whose reader, address, subject, client or one of whose client's invoice numbers is the one wanted."""
    party = Concat(Value("client:"), Cast("pk", CharField()), output_field=CharField())
    clients = Client.objects.filter(
        Q(name__icontains=wanted) | Q(number__iexact=wanted)
        | Q(Exists(Invoice.objects.filter(client=OuterRef("pk"), number__iexact=wanted)))
    ).order_by().annotate(as_party=party)  # fmt: skip
    return messages.filter(
        Q(to_name__icontains=wanted) | Q(to_addr__icontains=wanted) | Q(subject__icontains=wanted)
        | Q(party__in=clients.values("as_party"))
    )  # fmt: skip


def rows_of(messages: Iterable[Message]) -> list[Row]:
    """The messages with what they are about, in six queries however many there are.

    A reminder not yet written names the reader it will go to.
    """
    messages = list(messages)
    clients = Client.objects.select_related("company").in_bulk({pk for m in messages if (pk := _client_pk(m))})
    planned = {m.pk: _planned(m) for m in messages}
    invoices = Invoice.objects.in_bulk({pk for items in planned.values() for pk, _step in items})
    codes = {code for items in planned.values() for _pk, code in items if code}
    by_version = Step.objects.select_related("policy").order_by("policy__effective_from", "offset_days", "pk")
    steps = list(by_version.filter(code__in=codes)) if codes else []
    titles = {step.code: step.title for step in steps}
    chosen = dict(CompanyPolicy.objects.values_list("company_id", "name")) if steps else {}
    contacts = _contacts([m for m in messages if not m.to_addr])
    rows = []
    for message in messages:
        client_pk = _client_pk(message)
        items = [(invoices[pk], titles.get(code, code)) for pk, code in planned[message.pk] if pk in invoices]
        row = Row(message, clients.get(client_pk or 0), sorted(items, key=lambda item: (item[0].due_on, item[0].pk)))
        if not message.to_addr and client_pk:
            named = message.payload.get("contact")
            people = contacts.get(client_pk, [])
            policy = message.payload.get("policy") or (chosen.get(row.client.company_id) if row.client else None)
            step = _leading(message, [step for step in steps if step.policy.name == policy])
            people = readers_in_order(people, step) if step else people
            row.contact = next((c for c in people if c.pk == named), people[0] if people and not named else None)
        rows.append(row)
    return rows


def in_windows(messages: Iterable[Message]) -> Iterator[Row]:
    """The rows of a long list, some hundred at a time."""
    rest = iter(messages)
    while window := list(islice(rest, 500)):
        yield from rows_of(window)


def history_of(message: Message) -> list[dict[str, Any]]:
    """What happened to a message, latest first, as entries of a feed."""
    entries: list[dict[str, Any]] = []

    def happened(
        at: dt.datetime | None, icon: str, text: Any, *, tone: str = "", quote: str = "", note: str = ""
    ) -> None:
        if at is not None:
            entries.append({"at": at, "icon": icon, "text": text, "tone": tone, "quote": quote, "note": note})

    happened(message.created_at, "plus", _("Put into the outbox"))
    happened(message.handing_at, "refresh", _("Handed over to the mail server"), note=_tries(message.attempts))
    if message.state == "sent":
        happened(message.sent_at, "send", _("Sent"), tone="good")
    happened(message.unknown_at, "help-circle", _("The connection was lost: it may have arrived"), tone="warn",
             quote=message.reason if message.state == "unknown" else "")  # fmt: skip
    if message.delivery:
        icon, words, tone = _BECAME[message.delivery]
        happened(message.delivery_at, icon, words, tone=tone, quote=message.delivery_said)
    for event in Event.objects.filter(object_type="outbox.message", object_id=str(message.pk), action__in=_ACTS):
        icon, words = _ACTS[event.action]
        happened(event.at, icon, words, quote=event.summary if event.action == "resolve_message" else "",
                 note=event.actor)  # fmt: skip
    hold = hold_of(message)
    if hold is not None:
        happened(message.created_at, "lock", _("Held for a person: %(why)s") % {"why": hold.get_reason_display()})
        happened(hold.ended_at, "send" if hold.released else "x", _("Released") if hold.released else _("Discarded"),
                 note=hold.ended_by)  # fmt: skip
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def hold_of(message: Message) -> Hold | None:
    """The hold that kept a message back, or keeps it."""
    what, _sign, pk = message.held_for.partition(":")
    return Hold.objects.filter(pk=pk).first() if what == "hold" and pk.isdigit() else None


def repetitions_of(message: Message) -> QuerySet[Message]:
    """The other messages that are the same one sent again on purpose, or that it repeats."""
    stem = _AGAIN.sub("", message.key)
    same = Message.objects.filter(party=message.party).filter(Q(key=stem) | Q(key__startswith=f"{stem}:r"))
    return same.exclude(pk=message.pk).order_by("pk")


def eml_of(message: Message) -> Path | None:
    """The file a message was written to where no mail server is configured, if it is still there."""
    written = _WRITTEN.fullmatch(message.reply)
    if written is None:
        return None
    path = Path(settings.MAIL_DIR) / written[1]
    return path if path.is_file() else None


def attention(messages: QuerySet[Message], now: dt.datetime) -> QuerySet[Message]:
    """What a person has to look at: unknown, or lately failed or come back, and not sent again since."""
    again = Message.objects.filter(
        party=OuterRef("party"), kind=OuterRef("kind"), key__startswith=Concat(OuterRef("key"), Value(":r"))
    )
    failed = Q(Q(state="failed") | Q(delivery=CAME_BACK), created_at__gt=now - LOOKED_BACK)
    return messages.filter(Q(state="unknown") | failed).filter(~Exists(again))


_ACTS = {
    "cancel_message": ("x", gettext_lazy("Taken back")), "send_again": ("send", gettext_lazy("Sent again on purpose")),
    "resolve_message": ("user", gettext_lazy("A person said what became of it")),
}  # fmt: skip


_BECAME = {
    "delivered": ("mail-opened", gettext_lazy("It arrived"), "good"),
    "deferred": ("clock", gettext_lazy("It is delayed; the provider tries again"), "warn"),
    "bounced": ("alert-circle", gettext_lazy("It came back"), "bad"),
    "complained": ("ban", gettext_lazy("Its reader marked it as unwanted"), "warn"),
}


def _client_pk(message: Message) -> int | None:
    kind, _sign, pk = message.party.partition(":")
    return int(pk) if kind == "client" and pk.isdigit() else None


def _planned(message: Message) -> list[tuple[int, str]]:
    """Invoice and step of everything the message was put in for."""
    if "items" in message.payload:
        return [(pk, code) for pk, code, _cycle in message.payload["items"]]
    return [(message.payload["invoice"], "")] if "invoice" in message.payload else []


def _contacts(messages: Iterable[Message]) -> dict[int, list[Contact]]:
    """Per client the people who can be written to, accounts payable first."""
    pks = {pk for m in messages if (pk := _client_pk(m))}
    found: dict[int, list[Contact]] = defaultdict(list)
    for contact in Contact.objects.reachable().filter(client__in=pks).order_by("pk") if pks else ():
        found[contact.client_id].append(contact)
    for people in found.values():
        people.sort(key=lambda contact: contact.role != "accounts_payable")
    return found


def _leading(message: Message, steps: Sequence[Step]) -> Step | None:
    """The step that says whom a reminder addresses, by the version in force on its day; None for any other message."""
    codes = {code for _pk, code in _planned(message)}
    versions = [step.policy.effective_from for step in steps if step.policy.effective_from <= message.on]
    return leading_step(codes, [step for step in steps if step.policy.effective_from == max(versions, default=None)])


def _tries(attempts: int) -> str:
    return _("attempt %(n)d") % {"n": attempts} if attempts > 1 else ""
