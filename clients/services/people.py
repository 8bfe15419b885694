"""Clients and their contacts: saved with a version, so that two people never overwrite each other unseen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.services import record
from clients.models import Client, Contact
from clients.tax_numbers import check_tax_number, ways_written
from core.errors import Refused
from core.permissions import may
from core.services import today
from policies.services import default_terms
from policies.services.choices import keep_choice
from policies.services.versions import check_policy_name

from .limits import start_limit
from .locking import lock_client
from .status import NO_CREDIT, statuses_of

__all__ = ["lock_client", "retire_contact", "save_client", "save_contact"]

M = TypeVar("M", Client, Contact)
MASKED = {"email", "phone", "name", "street", "tax_number", "notes"}


def save_client(
    client: Client | None, fields: Mapping[str, Any], *, by: Any, version: int | None = None,
    on: dt.date | None = None, starting_limit: bool = True,
) -> Client:
    """Create a client, or change one; ``version`` is the one the person saw.

    A new one gets the default terms, and from ``on`` (the day it is entered) the starting limit of the credit policy,
    unless its limit is given elsewhere. Refused where somebody else changed it meanwhile, where the number is taken
    in the company, for a VAT or tax number that cannot exist, and, but for somebody who may set credit statuses, for
    the number of another client that is cash-only or closed: on ``on``, for a new one else the day it is entered.
    Refused too for a policy that is not in force and for a segment of another company.
    """
    subject = client or Client()
    if client is None and "terms" not in fields and "company" in fields:
        fields = {**fields, "terms": default_terms(fields["company"])}
    with transaction.atomic():
        before = None
        if client is not None and {"tax_number", "policy_name", "segment"} & fields.keys():
            before = Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        _check_policy(subject, fields, on)
        saved = _save(subject, fields, by=by, version=version, name="client")
        if before is not None:
            keep_choice(
                "client", saved.pk, saved.company_id, before=before.policy_name, name=saved.policy_name,
                on=on or today(saved.company), by=by, client=saved.pk,
                segments=(before.segment_id, saved.segment_id),
            )
        if client is None:
            on = on or today(saved.company, saved.created_at)
        if on is not None and "tax_number" in fields:
            _refuse_second_account(saved, before, on, by)
        if client is None and on is not None and starting_limit:
            start_limit(saved, on=on, by=by)
    return saved


def save_contact(
    client: Client, contact: Contact | None, fields: Mapping[str, Any], *, by: Any, version: int | None = None
) -> Contact:
    """Add a contact to a client, or change one; a new address is tried again after a bounce."""
    subject = contact or Contact(client=client)
    if contact is not None and "email" in fields and fields["email"] != contact.email:
        fields = {**fields, "bounced_at": None, "bounced_because": ""}
    return _save(subject, fields, by=by, version=version, name="contact")


def retire_contact(contact: Contact, *, by: Any) -> None:
    """The person is no longer there; what was said with them stays."""
    _save(contact, {"is_active": False}, by=by, version=None, name="contact")


def _check_policy(client: Client, fields: Mapping[str, Any], on: dt.date | None) -> None:
    """A client is reminded by a policy that is in force, and belongs to a segment of its own company."""
    company = fields.get("company") or (client.company if client.pk else None)
    segment = fields.get("segment")
    if segment is not None and company is not None and segment.company_id != company.pk:
        raise Refused("This segment belongs to another company; choose one of the client's.", where="segment")
    name = fields.get("policy_name", "")
    if name and company is not None and (client.pk is None or name != _kept_policy(client)):
        check_policy_name(name, on or today(company))


def _kept_policy(client: Client) -> str:
    """The policy as it is kept: the form may have written its own onto the client already."""
    return Client.objects.values_list("policy_name", flat=True).get(pk=client.pk)


def _refuse_second_account(client: Client, before: Client | None, on: dt.date, by: Any) -> None:
    """Who gets no credit does not get it under another number of ours; ``before`` is the client as it was kept."""
    ways = ways_written(client.tax_number, client.country)
    if not ways or (before and ways & ways_written(before.tax_number, before.country)) or may(by, "clients.set_status"):
        return
    barred = Client.objects.filter(
        company=client.company_id, credit_statuses__status__in=NO_CREDIT, credit_statuses__effective_on__lte=on
    ).exclude(pk=client.pk).exclude(tax_number="")  # fmt: skip
    same = [other for other in barred.distinct() if ways & ways_written(other.tax_number, other.country)]
    standing = statuses_of(same, on) if same else {}
    for other in same:
        change = standing.get(other.pk)
        if change is not None and change.status in NO_CREDIT:
            raise Refused(
                f"{other.name} ({other.number}) has the same VAT or tax number and is {change.get_status_display()} "
                f"since {change.effective_on.isoformat()}. Work with that client, or ask somebody who may set credit "
                "statuses to enter this one.",
                code="same_tax_number", where="tax_number",
            )  # fmt: skip


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
        before = {field: getattr(subject, field) for field in fields if not is_new}
        if "tax_number" in fields and fields["tax_number"] != before.get("tax_number", ""):
            check_tax_number(fields["tax_number"], fields.get("country", getattr(subject, "country", "")))
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
