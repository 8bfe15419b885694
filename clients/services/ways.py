"""Which ways to pay a client is offered otherwise than everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit.services import record
from clients.models import Client, ClientWay
from core.errors import Refused
from core.models import PaymentMethod

from .locking import lock_client


def save_ways(client: Client, offered: Mapping[int, bool | None], *, by: Any) -> None:
    """Offer a client other ways to pay than everybody: by payment method, True, False, or None for as everybody.

    What is not named stays as it was; the same again changes nothing. Refused: a method of another company, and a
    client who could not pay in any way.
    """
    with transaction.atomic():
        lock_client(client.pk)
        methods = {method.pk: method for method in PaymentMethod.objects.filter(company=client.company_id)}
        before = dict(ClientWay.objects.filter(client=client).values_list("method", "is_offered"))
        after = dict(before)
        for pk, choice in offered.items():
            if pk not in methods:
                raise Refused("This way to pay is not one of the company's; load the page again.", code="foreign")
            if choice is None:
                after.pop(pk, None)
            else:
                after[pk] = choice
        if methods and not any(after.get(pk, method.is_active) for pk, method in methods.items()):
            raise Refused("Nothing would be left by which this client can pay; offer at least one way.", code="none")
        if after == before:
            return
        ClientWay.objects.filter(client=client).exclude(method__in=after).delete()
        for pk, choice in after.items():
            ClientWay.objects.update_or_create(client=client, method_id=pk, defaults={"is_offered": choice})
        said = {methods[pk].kind: after.get(pk) for pk in methods if before.get(pk) != after.get(pk)}
        record(by, "ways_to_pay_changed", client, client_id=client.pk, diff={"ways": said})
