"""Documents clients ask us for, such as a tax form or a letter of our bank: uploaded once, shown to all of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.services import record
from clients.file_types import checked_type, clean_name
from core.errors import Refused
from core.models import Company, CompanyDocument, as_text
from core.services import store_file

SHOWN = ("application/pdf", "image/png", "image/jpeg")


def add_company_document(
    company: Company, file: tuple[str, bytes], *, kind: str, name: str = "", valid_until: dt.date | None = None,
    on: dt.date, by: Any,
) -> CompanyDocument:
    """Put a document where every client can get it: PDF, PNG or JPEG, at most 10 MB; ``file`` is its name and bytes.

    ``name`` is what it is called (its file name where empty). Refused for another type of file, for an unknown kind and
    for one that is no longer valid. The same file under the same name again changes nothing.
    """
    if kind not in dict(CompanyDocument.KINDS):
        raise Refused(f"“{kind}” is not a kind of document.", where="kind")
    if valid_until is not None and valid_until < on:
        raise Refused("It is no longer valid; ask for a new one first.", code="past", where="valid_until")
    media, called = checked_type(*file), (name.strip() or clean_name(file[0]))[:150]
    if media not in SHOWN:
        raise Refused("Clients get PDF, PNG or JPEG; save it as PDF.", code="type", where="file")
    with transaction.atomic():
        stored = store_file(file[1], media)
        standing = company.documents.filter(file=stored, name=called, kind=kind, removed_at=None).first()
        if standing is not None:
            return standing
        document = CompanyDocument.objects.create(
            company=company, kind=kind, name=called, file=stored, valid_until=valid_until, added_by=as_text(by)[:150]
        )
        record(by, "company_document_added", document, summary=called, diff={"sha256": stored.sha256})
    return document


def remove_company_document(document: CompanyDocument, *, by: Any) -> None:
    """Clients no longer see it; its bytes are kept. A second time changes nothing."""
    with transaction.atomic():
        current = CompanyDocument.objects.select_for_update().get(pk=document.pk)
        if current.removed_at is not None:
            return
        current.removed_at = timezone.now()
        current.save(update_fields=["removed_at"])
        record(by, "company_document_removed", current, summary=current.name)


def documents_for_clients(company: Company, on: dt.date) -> QuerySet[CompanyDocument]:
    """What a client of the company is shown on a day: not removed, and still valid."""
    standing = company.documents.filter(removed_at=None).select_related("file")
    return standing.filter(Q(valid_until=None) | Q(valid_until__gte=on))
