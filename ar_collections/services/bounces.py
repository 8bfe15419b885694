"""A mail came back: what it served is open again, and somebody looks at the address."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Served
from clients.models import Client
from core.errors import Refused
from core.services import today
from outbox.models import Message
from outbox.returns import Return

from .deciding import NOTICE
from .desk import delivery_key, open_task
from .serving import take_back_what_followed


def came_back(message: Message, what: Return) -> None:
    """A reminder that came back served nothing and began nothing: the next goes to the next person there.

    A task is raised once a message, whatever it was: an invoice that did not arrive is nobody's reminder, but somebody
    has to know. Where only the copy came back, or the reader marked it as unwanted, what it served stays served.
    """
    client = _client_of(message)
    if client is None:
        return
    on = today(client.company, what.heard_at)
    arrived = what.is_copy or what.event == "complained"
    refused = "" if arrived or message.kind != NOTICE else _take_back(message, on)
    open_task(
        client, "delivery", because=_because(what),
        detail="\n".join(filter(None, [what.said, refused])), due_on=on, on=on, by="system",
        key=_key(message, what),
    )


def _key(message: Message, what: Return) -> str:
    """One task a message; one more for each copy that came back, and one where it is not wanted."""
    if what.is_copy:
        digest = hashlib.sha256(what.address.casefold().encode()).hexdigest()
        return delivery_key(message.key[:100], f"copy:{digest[:16]}")
    return delivery_key(message.key, what.event if what.event == "complained" else "")


def _take_back(message: Message, on: dt.date) -> str:
    """Its steps are open again and what it began is undone; why something of that was refused, in words."""
    Served.objects.filter(message=message).delete()
    try:
        with transaction.atomic():
            take_back_what_followed(message, on=max(on, message.on), by="system")
    except Refused as why:
        return why.message
    return ""


def _because(what: Return) -> str:
    if what.event == "complained":
        return _("Mail to %(address)s was marked as unwanted: ask how to reach them") % {"address": what.address}
    if what.is_copy:
        return _("The copy to %(address)s came back: correct the address") % {"address": what.address}
    if not what.is_address:
        return _("Mail to %(address)s came back; the address may be right") % {"address": what.address}
    return _("Mail to %(address)s came back: find the right address") % {"address": what.address}


def _client_of(message: Message) -> Client | None:
    kind, _sign, pk = message.party.partition(":")
    if kind != "client" or not pk.isdigit():
        return None
    return Client.objects.select_related("company", "owner").filter(pk=int(pk)).first()
