"""Clients and their contacts: saved with a version, so that two people never overwrite each other unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.services import record
from clients.models import Client, Contact
from core.errors import Refused
from policies.services import default_terms

M = TypeVar("M", Client, Contact)
MASKED = {"email", "phone", "name", "street", "tax_number", "notes"}


def save_client(client: Client | None, fields: Mapping[str, Any], *, by: Any, version: int | None = None) -> Client:
    """Create a client, or change one; ``version`` is the one the person saw.

    Refused where somebody else changed it meanwhile, or where the number is taken in the company.
    """
    subject = client or Client()
    if client is None and "terms" not in fields and "company" in fields:
        fields = {**fields, "terms": default_terms(fields["company"])}
    return _save(subject, fields, by=by, version=version, name="client")


def save_contact(
    client: Client, contact: Contact | None, fields: Mapping[str, Any], *, by: Any, version: int | None = None
) -> Contact:
    """Add a contact to a client, or change one; a new address is tried again after a bounce."""
    subject = contact or Contact(client=client)
    if contact is not None and "email" in fields and fields["email"] != contact.email:
        fields = {**fields, "bounced_at": None}
    return _save(subject, fields, by=by, version=version, name="contact")


def retire_contact(contact: Contact, *, by: Any) -> None:
    """The person is no longer there; what was said with them stays."""
    _save(contact, {"is_active": False}, by=by, version=None, name="contact")


def lock_client(pk: int) -> None:
    """Be alone with what a client owes and pays, until the transaction ends.

    Taken before any invoice, charge or payment is locked: two people who took them the other way round would wait
    for each other.
    """
    Client.objects.select_for_update(of=("self",)).get(pk=pk)


def _save(subject: M, fields: Mapping[str, Any], *, by: Any, version: int | None, name: str) -> M:
    with transaction.atomic():
        is_new = subject.pk is None
        if not is_new:
            model: type[Any] = type(subject)
            current: M = model._default_manager.select_for_update().get(pk=subject.pk)
            if version is not None and current.version != version:
                raise Refused(
                    f"Somebody else changed this {name} while you were writing; load the page again, your words are "
                    "still in the form.",
                    code="changed_meanwhile",
                )
            subject = current
        before = {} if is_new else {field: getattr(subject, field) for field in fields}
        for field, value in fields.items():
            setattr(subject, field, value)
        try:
            subject.full_clean()
        except ValidationError as error:
            where, messages = next(iter(error.message_dict.items()))
            raise Refused(" ".join(messages), code="invalid", where="" if where == "__all__" else where) from None
        if not is_new:
            subject.version += 1
        subject.save()
        changed = {f: "…" if f in MASKED else str(fields[f]) for f in fields if is_new or before[f] != fields[f]}
        client_id = subject.pk if isinstance(subject, Client) else subject.client_id
        if changed:
            record(by, f"{name}_{'added' if is_new else 'changed'}", subject, client_id=client_id, diff=changed)
    return subject
