"""The PDFs of many invoices in one ZIP file with a list of what is inside; kept for a day to be fetched."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from core.csvfile import lines
from core.jobs import Progress, unheard
from core.money import plain
from core.services import read_file

from .mails import file_name
from .models import Invoice
from .pdf import invoice_pdf
from .printing import CouldNotPrint

KEPT = dt.timedelta(days=1)
INDEX = "index.csv"
HEADER = ["file", "number", "client number", "client", "issued", "due", "currency", "total", "open", "left out because"]


@dataclass(frozen=True)
class Together:
    """A ZIP file: its bytes, how many documents are inside, and which invoices are left out, with the reason."""

    content: bytes
    inside: int
    left_out: list[dict[str, str]] = field(default_factory=list)


def prepare(invoices: Iterable[Invoice], progress: Progress = unheard) -> Together:
    """The PDFs as the clients get them, and index.csv that names each; equal invoices give equal bytes.

    What has no document (a draft, an item taken over) or cannot be printed stands in the index with the reason.
    """
    chosen = list(invoices)
    taken, rows, left_out, inside = {INDEX}, [], [], 0
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, invoice in enumerate(chosen):
            progress(n, len(chosen), "documents")
            name, why = "", _no_document(invoice)
            if not why:
                try:
                    content = read_file(invoice_pdf(invoice).sha256)
                    name = unique(file_name(invoice), taken)
                    archive.writestr(_entry(name, invoice.issued_on), content)
                    inside += 1
                except (CouldNotPrint, OSError, ValueError) as error:
                    why = _("The PDF could not be made: %(why)s") % {"why": error}
            if why:
                left_out.append({"pk": str(invoice.pk), "name": str(invoice), "why": why})
            rows.append(_row(invoice, name, why))
        body = "\ufeff" + "".join(lines(HEADER, rows))
        archive.writestr(_entry(INDEX, None), body.encode())
    progress(len(chosen), len(chosen), "documents")
    return Together(buffer.getvalue(), inside, left_out)


def _no_document(invoice: Invoice) -> str:
    if invoice.issued_at is None:
        return _("A draft has no document; issue it first.")
    return _("It was taken over from elsewhere and has no document of ours.") if invoice.is_taken_over else ""


def _row(invoice: Invoice, name: str, why: str) -> list[object]:
    return [
        name, invoice.number, invoice.client.number, invoice.client.name, invoice.issued_on, invoice.due_on,
        invoice.currency, plain(invoice.total, invoice.currency), plain(invoice.balance, invoice.currency), why,
    ]  # fmt: skip


def unique(name: str, taken: set[str]) -> str:
    """A file name that no other in the same folder has, large and small letters being alike; remembered in ``taken``.

    >>> taken = {"index.csv"}
    >>> [unique(name, taken) for name in ("LO-1.pdf", "lo-1.pdf", "LO-1.pdf", "LO-1-2.pdf")]
    ['LO-1.pdf', 'lo-1-2.pdf', 'LO-1-3.pdf', 'LO-1-2-2.pdf']
    """
    stem, dot, ending = name.rpartition(".")
    found, n = name, 1
    while found.casefold() in taken:
        n += 1
        found = f"{stem}-{n}{dot}{ending}"
    taken.add(found.casefold())
    return found


def _entry(name: str, on: dt.date | None) -> zipfile.ZipInfo:
    day = on or dt.date(1980, 1, 1)
    entry = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 0, 0, 0))
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return entry


def prepared_path(token: str) -> Path:
    """Where a prepared file waits to be fetched; ValueError for a token that is none of ours."""
    if not re.fullmatch(r"[0-9a-f]{32}", token):
        raise ValueError("A token is 32 hexadecimal digits.")
    return Path(settings.DATA_DIR) / "prepared" / f"{token}.zip"


def sweep_prepared(now: dt.datetime) -> dict[str, int]:
    """Remove what was prepared more than a day ago; answers how many files went."""
    gone = 0
    for path in (Path(settings.DATA_DIR) / "prepared").glob("*.zip"):
        if dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) < now - KEPT:
            path.unlink(missing_ok=True)
            gone += 1
    return {"removed": gone}
