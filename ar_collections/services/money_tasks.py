"""What payments have to tell a person becomes a task of the desk: a chargeback, a refund that went wrong."""

from __future__ import annotations

import datetime as dt

from clients.models import Client
from payments.telling import listen

from .desk import open_task


def register_money_tasks() -> None:
    """Hear what is told of money from now on."""
    listen(open_money_task)


def open_money_task(client: Client, key: str, because: str, detail: str, on: dt.date) -> None:
    """Something about money has to be decided for a client; once per key."""
    open_task(client, "review", because=because, detail=detail, due_on=on, on=on, by="system", key=f"money:{key}")
