"""A mail came back: what it served is open again, and somebody looks at the address."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ar_collections.models import Served
from clients.models import Client
from core.services import today
from outbox.models import Message
from outbox.returns import Return

from .desk import open_task


def came_back(message: Message, what: Return) -> None:
    """The steps of a reminder that came back are not served: the next one goes to the next person who can be reached.

    A task is raised once a message, whatever it was: an invoice that did not arrive is nobody's reminder, but somebody
    has to know. Where only the copy came back, or the reader marked it as unwanted, what it served stays served.
    """
    arrived = what.is_copy or what.event == "complained"
    if not arrived:
        Served.objects.filter(message=message).delete()
    client = _client_of(message)
    if client is None:
        return
    on = today(client.company, what.heard_at)
    open_task(
        client, "delivery", because=_because(what), detail=what.said, due_on=on, on=on, by="system",
        key=f"delivery:{message.key}" + (f":{what.event}" if arrived else ""),
    )


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
