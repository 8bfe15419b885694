"""One copy more of a client's next reminder: asked for by a person, seen before it is kept, used up when it left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from ar_collections.models import CopyOnce
from audit.services import record
from clients.models import Client
from clients.services import lock_client
from core.errors import Refused
from core.models import as_text
from outbox.letter import mailbox
from outbox.models import Message

MOST = 3


@dataclass(frozen=True)
class Asked:
    """An address before it is kept: as it is written, and whether it is one of the client's people."""

    address: str
    name: str

    @property
    def is_outsider(self) -> bool:
        return not self.name


def look_at(client: Client, address: str) -> Asked:
    """Whose address this is: one of the client's people, or an outsider's. Refused where it is not one address."""
    address = address.strip()
    mailbox("", address)
    people = client.contacts.filter(is_active=True).exclude(email="")
    found = people.annotate(plain=Lower("email")).filter(plain=address.casefold()).first()
    return Asked(address, found.name if found else "")


def copy_next(client: Client, address: str, *, knows_outsider: bool = False, by: Any) -> CopyOnce:
    """Send a copy of the client's next reminder to one more address, once.

    Refused for what is not one address, for somebody outside the client's people unless the person says so
    (``knows_outsider``), for a fourth address, and where it is asked for already.
    """
    asked = look_at(client, address)
    if asked.is_outsider and not knows_outsider:
        raise Refused(
            _(
                "%(address)s is none of the people on file of %(client)s; the message tells what is open and has the "
                "private link in it. Tick that you know who reads it, or add them to the people."
            ) % {"address": asked.address, "client": client.name},
            code="outsider", where="knows_outsider",
        )
    with transaction.atomic():
        lock_client(client.pk)
        waiting = CopyOnce.objects.waiting().filter(client=client)
        if waiting.count() >= MOST:
            raise Refused(
                _("Three further addresses wait already; take one of them back first."), code="too_many",
                where="address",
            )
        try:
            with transaction.atomic():
                copy = CopyOnce.objects.create(client=client, address=asked.address, asked_by=as_text(by)[:150])
        except IntegrityError:
            raise Refused(
                _("A copy to %(address)s is asked for already.") % {"address": asked.address}, code="twice",
                where="address",
            ) from None
        record(by, "copy_asked", copy, client_id=client.pk, summary="one copy more of the next reminder")
    return copy


def withdraw_copy(copy: CopyOnce, *, at: dt.datetime, by: Any) -> CopyOnce:
    """Take a copy back before it was sent; Refused once it was."""
    with transaction.atomic():
        changed = CopyOnce.objects.waiting().filter(pk=copy.pk).update(
            withdrawn_at=at, withdrawn_by=as_text(by)[:150]
        )
        if not changed:
            raise Refused(_("This copy was sent or taken back meanwhile; load the page again."), code="gone")
        record(by, "copy_withdrawn", copy, client_id=copy.client_id)
    copy.refresh_from_db()
    return copy


def copies_waiting(client: Client) -> QuerySet[CopyOnce]:
    """The addresses that the client's next reminder goes to as well."""
    return CopyOnce.objects.waiting().filter(client=client)


def use_up(message: Message, client: Client) -> None:
    """The copies that left with a message are not sent again with the next; the addressee's own is its mail itself."""
    readers = {address.strip().casefold() for address in (*message.cc_addr.split(","), message.to_addr)} - {""}
    waiting = CopyOnce.objects.waiting().filter(client=client).annotate(plain=Lower("address"))
    waiting.filter(plain__in=readers).update(message=message)
