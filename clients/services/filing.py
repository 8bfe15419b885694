"""What is kept on a client's file: documents, further addresses, public profiles, dates to remember."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from babel import Locale
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.file_types import checked_type, clean_name
from clients.models import Address, Client, CreditCheck, Document, KeyDate, Profile
from core.errors import Refused
from core.models import as_text
from core.services import store_file

M = TypeVar("M", Address, Profile, KeyDate)


def add_document(
    client: Client, name: str, content: bytes, kind: str = "other", *, by: Any, credit_check: CreditCheck | None = None
) -> Document:
    """Put a file on the client's file: PDF, PNG, JPEG, DOCX, TXT, CSV or JSON, at most 10 MB.

    Refused for another type (the name and the bytes must agree), for an empty or larger file, and for the check of
    another client. The same bytes under the same name a second time change nothing.
    """
    if kind not in dict(Document.KINDS):
        known = ", ".join(dict(Document.KINDS))
        raise Refused(f"“{kind}” is not a kind of document; choose one of {known}.", where="kind")
    if credit_check is not None and credit_check.client_id != client.pk:
        raise Refused("This check is of another client; attach the document there.", where="credit_check")
    media, shown = checked_type(name, content), clean_name(name)
    with transaction.atomic():
        file = store_file(content, media)
        standing = Document.objects.filter(
            client=client, file=file, name=shown, kind=kind, credit_check=credit_check, removed_at=None
        ).first()
        if standing is not None:
            return standing
        document = Document.objects.create(
            client=client, kind=kind, name=shown, file=file, credit_check=credit_check, added_by=as_text(by)[:150]
        )
        record(by, "document_added", document, client_id=client.pk, summary=shown, diff={"sha256": file.sha256})
    return document


def remove_document(document: Document, *, by: Any) -> None:
    """Take a document off the file; it is kept, because somebody once relied on it. A second time changes nothing."""
    with transaction.atomic():
        current = Document.objects.select_for_update().get(pk=document.pk)
        if current.removed_at is not None:
            return
        current.removed_at, current.removed_by = timezone.now(), as_text(by)[:150]
        current.save(update_fields=["removed_at", "removed_by"])
        record(by, "document_removed", current, client_id=current.client_id, summary=current.name)


def save_address(client: Client, address: Address | None, fields: Mapping[str, Any], *, by: Any) -> Address:
    """Note where else the client is, or change it: its post and invoices go to one place, deliveries to any number.

    Refused without street, city or country, for a country that is none, and for a second address for post. What was
    issued before keeps the address it was issued with.
    """
    if "country" in fields:
        country = str(fields["country"]).strip().upper()
        if country not in Locale("en").territories or len(country) != 2:
            raise Refused(f"“{country}” is not a country; write two letters, such as DE or US.", where="country")
        fields = {**fields, "country": country}
    return _save(address or Address(client=client), fields, by=by, name="address")


def remove_address(address: Address, *, by: Any) -> None:
    """The client is no longer there; what was sent there stays as it was."""
    _remove(address, by=by, name="address", summary=str(address.get_kind_display()))


def save_profile(client: Client, profile: Profile | None, fields: Mapping[str, Any], *, by: Any) -> Profile:
    """Note a website or a social profile of the client, or change one; https:// is put in front where it is missing.

    Refused for what is no web address, and where the client already has it.
    """
    if "url" in fields:
        fields = {**fields, "url": _web_address(str(fields["url"]))}
    return _save(profile or Profile(client=client), fields, by=by, name="profile")


def look_at_profile(profile: Profile, news: str, *, on: dt.date, by: Any) -> Profile:
    """Somebody looked today, and what was new (may be nothing); an earlier day never takes the place of a later one."""
    if profile.last_looked_on is not None and on < profile.last_looked_on:
        raise Refused(f"Somebody looked on {profile.last_looked_on.isoformat()} already.", where="last_looked_on")
    return _save(
        profile, {"last_looked_on": on, "news": news.strip(), "looked_by": as_text(by)[:150]}, by=by, name="profile",
        act="looked_at",
    )


def remove_profile(profile: Profile, *, by: Any) -> None:
    """The address is no longer theirs."""
    _remove(profile, by=by, name="profile", summary=profile.url)


def save_key_date(
    client: Client, key_date: KeyDate | None, fields: Mapping[str, Any], *, on: dt.date, by: Any
) -> KeyDate:
    """Note a day that comes back every year, or change one.

    Refused for a day that no year has, for a year to come, for a birthday without its person, for the contact of
    another client, and for another day without a name.
    """
    subject = key_date or KeyDate(client=client)
    names = ("kind", "label", "month", "day", "year", "contact")
    said = {name: fields[name] if name in fields else getattr(subject, name) for name in names}
    if not 1 <= int(said["month"] or 0) <= 12:
        raise Refused("A month is 1 to 12.", where="month")
    if not 1 <= int(said["day"] or 0) <= calendar.monthrange(2000, said["month"])[1]:  # a leap year: 29 February counts
        raise Refused("This month has no such day.", where="day")
    if said["year"] and not 1600 <= said["year"] <= on.year:
        raise Refused("The year lies ahead, or too far back; leave it empty where it is not known.", where="year")
    if said["contact"] is not None and said["contact"].client_id != client.pk:
        raise Refused("This person is at another client.", where="contact")
    if said["kind"] == "birthday" and said["contact"] is None:
        raise Refused("A birthday is a person's: choose the contact.", where="contact")
    if said["kind"] == "other" and not (said["label"] or "").strip():
        raise Refused("Give the day a name.", where="label")
    return _save(subject, fields, by=by, name="key_date")


def remove_key_date(key_date: KeyDate, *, by: Any) -> None:
    """The day is no longer remembered."""
    _remove(key_date, by=by, name="key_date", summary=str(key_date.kind))


def _web_address(url: str) -> str:
    written = url.strip()
    if written and "://" not in written:
        written = f"https://{written}"
    try:
        parts = urlsplit(written)
        good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and parts.username is None
    except ValueError:
        good = False
    if not good:
        raise Refused(f"“{url[:80]}” is not a web address; write it like https://example.com.", where="url")
    return written


def _save(subject: M, fields: Mapping[str, Any], *, by: Any, name: str, act: str = "") -> M:
    is_new = subject.pk is None
    with transaction.atomic():
        if not is_new:
            model: type[Any] = type(subject)
            subject = model._default_manager.select_for_update().get(pk=subject.pk)
        before = {field: getattr(subject, field) for field in fields if not is_new}
        for field, value in fields.items():
            setattr(subject, field, value)
        try:
            subject.full_clean()
        except ValidationError as error:
            where, messages = next(iter(error.message_dict.items()))
            raise Refused(" ".join(messages), code="invalid", where="" if where == "__all__" else where) from None
        changed = [field for field in fields if is_new or before[field] != fields[field]]
        if changed or act:
            subject.save()
            action = f"{name}_{act or ('added' if is_new else 'changed')}"
            # Birthdays and addresses are personal: the trail names what changed, not the value.
            record(by, action, subject, client_id=subject.client_id, diff=dict.fromkeys(changed, "…"))
    return subject


def _remove(subject: Address | Profile | KeyDate, *, by: Any, name: str, summary: str) -> None:
    with transaction.atomic():
        record(by, f"{name}_removed", subject, client_id=subject.client_id, summary=summary)
        subject.delete()
