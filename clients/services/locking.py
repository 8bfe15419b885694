"""Being alone with what a client owes and pays."""

from __future__ import annotations

from clients.models import Client


def lock_client(pk: int) -> None:
    """Be alone with what a client owes and pays, until the transaction ends.

    Taken before any invoice, charge or payment is locked: two people who took them the other way round would wait
    for each other.
    """
    Client.objects.select_for_update(of=("self",)).values_list("pk").get(pk=pk)
