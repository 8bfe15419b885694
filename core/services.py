"""Verbs every app shares: ticks, stored files, jobs, and today's date of a company."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from .errors import Refused
from .models import Company, StoredFile, Tick


def today(company: Company | None, now: dt.datetime | None = None) -> dt.date:
    """The business date of a company: the local date where it is. Shells call this; verbs take the date."""
    at = now or timezone.now()
    return at.astimezone(company.zone if company else dt.UTC).date()


def latest_today(now: dt.datetime | None = None) -> dt.date:
    """The date of the company where it is latest: what begins after it begins after every company's today.

    What is everybody's (policies, rules, rates) is dated by it; without a company it is the date in UTC.
    """
    at = now or timezone.now()
    return max((today(company, at) for company in Company.objects.all()), default=today(None, at))


def company_named(code: str) -> Company:
    """The company of that code, large or small letters alike. Refused with the codes there are."""
    company = Company.objects.filter(code__iexact=code).first()
    if company is None:
        known = ", ".join(Company.objects.values_list("code", flat=True)) or "none yet"
        raise Refused(f"There is no company “{code}”. Known are: {known}.", code="no_company", where="company")
    return company


@contextmanager
def tick(name: str) -> Iterator[dict[str, Any]]:
    """Record that a scheduled sweep ran, with what it answers; a failure is recorded and raised."""
    started = timezone.now()
    result: dict[str, Any] = {}
    try:
        yield result
    except Exception as error:
        Tick.objects.update_or_create(name=name, defaults={"started_at": started, "error": repr(error)[:2000]})
        raise
    Tick.objects.update_or_create(
        name=name, defaults={"started_at": started, "ended_at": timezone.now(), "result": result, "error": ""}
    )


def stored_path(sha256: str) -> Path:
    """Where the bytes of a stored file lie."""
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256


def store_file(content: bytes, media_type: str) -> StoredFile:
    """Keep bytes by their SHA-256; storing the same bytes again answers with the row that exists."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = stored_path(sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    row, _ = StoredFile.objects.get_or_create(sha256=sha256, defaults={"media_type": media_type, "size": len(content)})
    return row


def read_file(sha256: str) -> bytes:
    """The bytes of a stored file, checked against their SHA-256; ValueError where they were changed."""
    content = stored_path(sha256).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"The stored file {sha256} does not have the bytes it was stored with.")
    return content
