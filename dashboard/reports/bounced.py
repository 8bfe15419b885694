"""Who is not written to because mail came back: since when, with which words, and who is written to instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Q, QuerySet

from clients.models import Contact
from core.models import Company
from outbox.models import Message

AT_ONCE = 200


@dataclass(frozen=True)
class Dead:
    """An address that is no good: whose, the last message that came back from it, and who is written to instead."""

    contact: Contact
    message: Message | None
    instead: Contact | None


def bounced_of(company: Company, wanted: str = "") -> QuerySet[Contact]:
    """The people of a company's clients whose address is known to be no good, the latest first; found by any word."""
    dead = Contact.objects.filter(client__company=company, is_active=True, bounced_at__isnull=False)
    if wanted:
        dead = dead.filter(
            Q(name__icontains=wanted) | Q(email__icontains=wanted) | Q(client__name__icontains=wanted)
            | Q(client__number__iexact=wanted) | Q(bounced_because__icontains=wanted)
        )  # fmt: skip
    return dead.select_related("client").order_by("-bounced_at", "-pk")


def dead_of(contacts: Iterable[Contact]) -> list[Dead]:
    """These contacts with what came back and who is left, in two queries however many there are."""
    contacts = list(contacts)
    parties = {f"client:{contact.client_id}" for contact in contacts}
    came_back = Message.objects.filter(party__in=parties, delivery="bounced").defer("text", "html")
    last = {message.to_addr: message for message in came_back.order_by("pk")}
    left: dict[int, list[Contact]] = defaultdict(list)
    for contact in Contact.objects.reachable().filter(client__in={c.client_id for c in contacts}).order_by("pk"):
        left[contact.client_id].append(contact)
    return [
        Dead(contact, last.get(contact.email), next(iter(left[contact.client_id]), None)) for contact in contacts
    ]  # fmt: skip


def in_windows(contacts: QuerySet[Contact]) -> Iterator[Dead]:
    """The rows of a long list, some hundred at a time."""
    rest = contacts.iterator(chunk_size=AT_ONCE)
    while window := list(islice(rest, AT_ONCE)):
        yield from dead_of(window)
