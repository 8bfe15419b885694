"""Mail to an address came back: whoever has it is not written to any more, until somebody corrects it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Contact
from core.errors import Refused
from outbox.models import Message
from outbox.returns import Return


def came_back(message: Message, what: Return) -> None:
    """What the outbox tells of a mail that came back; that a reader does not want it says nothing of the address."""
    if what.event == "bounced" and what.is_address:
        mark_bounced(what.address, at=what.at, because=what.said, by="system")


def mark_bounced(address: str, *, at: dt.datetime, because: str, by: Any) -> int:
    """Nobody is written to at an address from now on, with the words of whoever refused it; answers how many have it.

    Who is marked already keeps the first day and words: since then the address is known to be no good.
    """
    if not address:
        return 0
    with transaction.atomic():
        dead = list(Contact.objects.select_for_update().filter(email__iexact=address, bounced_at=None).order_by("pk"))
        for contact in dead:
            contact.bounced_at, contact.bounced_because = at, because[:300]
            contact.save(update_fields=["bounced_at", "bounced_because"])
            record(by, "contact_bounced", contact, client_id=contact.client_id, summary=because[:300])
    return len(dead)


def clear_bounce(contact: Contact, *, by: Any) -> Contact:
    """The address is good after all: mail goes to it again. Refused where none came back."""
    with transaction.atomic():
        contact = Contact.objects.select_for_update().get(pk=contact.pk)
        if contact.bounced_at is None:
            raise Refused(_("No mail to this address came back; it is written to already."), code="not_bounced")
        was = contact.bounced_because
        contact.bounced_at, contact.bounced_because = None, ""
        contact.save(update_fields=["bounced_at", "bounced_because"])
        record(by, "contact_bounce_cleared", contact, client_id=contact.client_id, summary=was)
    return contact
