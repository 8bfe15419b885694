"""Documents as PDF, printed by a process of its own that can open nothing but our stylesheet and fonts.

Never inside a transaction: printing takes tenths of a second. The bytes depend on the document alone.
"""

from __future__ import annotations

import atexit
import base64
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.utils import translation

from clients.models import Client, Contact
from core.models import StoredFile
from core.services import read_file, store_file

from . import printing
from .credit_notes import credit_note_document
from .documents import Paper, invoice_document
from .einvoice import einvoice_xml
from .models import CreditNote, Invoice, ProForma
from .pdf_worker import read_frame, write_frame
from .printing import CouldNotPrint, Printable
from .pro_formas import pro_forma_document
from .statements import BesideItem, OpenItem, item_statement_of, letter_to, statement_of

PDF = "application/pdf"
WALL_SECONDS = 60
PRINTS_PER_PROCESS = 200
BRAND = "#0f5f57"  # where a company has no colour that can be read
OURS = "file:///ours/"  # the one address space a document can reach, and it exists only as a list of names


class Document(Protocol):
    """What can be printed: whatever has a head."""

    @property
    def head(self) -> Paper: ...


def invoice_pdf(invoice: Invoice) -> StoredFile:
    """The PDF of an issued invoice: printed once from what was frozen at issue, then the same bytes for ever.

    The e-invoice is inside it. ValueError for a draft, and for an item taken over from elsewhere: it has no document
    of ours.
    """
    if invoice.issued_at is None or invoice.is_taken_over:
        raise ValueError(f"{invoice} has no document of ours.")
    return kept_once(invoice, "pdf/invoice.html", invoice_document, with_xml=True)


def pro_forma_pdf(pro_forma: ProForma) -> StoredFile:
    """The PDF of a pro forma: printed once from what was frozen when it was made, then the same bytes for ever."""
    return kept_once(pro_forma, "pdf/pro_forma.html", pro_forma_document)


def credit_note_pdf(note: CreditNote) -> StoredFile:
    """The PDF of a credit note with its e-invoice: printed once from what was frozen, then the same bytes for ever."""
    return kept_once(note, "pdf/credit_note.html", credit_note_document, with_xml=True)


def register_printables() -> None:
    """Make the worker know which documents of this app wait to be printed."""
    standing = {"issued_at__isnull": False, "voided_at": None, "intake": None, "pdf": None}
    printing.register("invoices.invoice", Printable(
        invoice_pdf, lambda since: Invoice.objects.filter(issued_on__gte=since, **standing).order_by("pk")
    ))
    printing.register("invoices.proforma", Printable(
        pro_forma_pdf, lambda since: ProForma.objects.filter(made_on__gte=since, pdf=None).order_by("pk")
    ))
    printing.register("invoices.creditnote", Printable(
        credit_note_pdf, lambda since: CreditNote.objects.filter(issued_on__gte=since, pdf=None).order_by("pk")
    ))


def kept_once(row: Any, template: str, document_of: Callable[[Any], Document], *, with_xml: bool = False) -> StoredFile:
    """The PDF of a row that has a ``pdf``: printed the first time, kept by its SHA-256, the same bytes for ever.

    In a request the worker prints it; see ``printing``.
    """
    if row.pdf is None and printing.in_request():
        printing.await_row(row)
    elif row.pdf is None:
        xml, day = (_xml_of(row), row.issued_on) if with_xml else (b"", None)
        stored = store_file(print_document(template, document_of(row), xml=xml, day=day), PDF)
        type(row).objects.filter(pk=row.pk, pdf=None).update(pdf=stored)
        row.refresh_from_db(fields=["pdf"])
    assert row.pdf is not None
    kept: StoredFile = row.pdf
    return kept


def _xml_of(row: Invoice | CreditNote) -> bytes:
    """The e-invoice that goes into the document; nothing where there is none of it."""
    stored = einvoice_xml(row)
    return read_file(stored.sha256) if stored else b""


def item_statement_pdf(invoice: Invoice, on: dt.date, contact: Contact | None = None) -> bytes:
    """The one-page statement of an item that was issued elsewhere, as it stands on a day."""
    return print_document("pdf/statement.html", item_statement_of(invoice, on, contact))


def statement_pdf(client: Client, items: Sequence[OpenItem], on: dt.date, contact: Contact | None = None) -> bytes:
    """The statement of account of a client on a day; ``items`` are invoices with what is open on each."""
    return print_document("pdf/statement.html", statement_of(client, items, on, contact))


def letter_pdf(
    client: Client, contact: Contact | None, *, subject: str, paragraphs: Iterable[str], items: Sequence[OpenItem],
    on: dt.date, closing: Iterable[str] = (), beside: Mapping[str, list[tuple[str, Decimal]]] | None = None,
    beside_items: Mapping[int, BesideItem] | None = None, annex: Iterable[tuple[str, Sequence[str]]] = (),
) -> bytes:
    """A letter to a client about open items; all words, those of the labels ``beside`` too, are in their language."""
    letter = letter_to(
        client, contact, subject=subject, paragraphs=paragraphs, items=items, on=on, closing=closing, beside=beside,
        beside_items=beside_items, annex=annex,
    )
    return print_document("pdf/letter.html", letter)


def print_document(template: str, document: Document, *, xml: bytes = b"", day: dt.date | None = None) -> bytes:
    """A document as PDF, in its language, design and paper. RuntimeError inside a transaction; CouldNotPrint."""
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError("A document is printed after the commit, never inside a transaction.")
    with translation.override(document.head.language):
        html = render_to_string(template, {"document": document})
    return print_html(html, accent=document.head.accent, design=document.head.design, xml=xml, day=day)


def print_html(
    html: str, *, accent: str = "", design: str = "ledger", xml: bytes = b"", day: dt.date | None = None
) -> bytes:
    """HTML as PDF/A-3b in one of our designs, with the XML of a day in it; equal input gives equal bytes.

    Raises CouldNotPrint. In a request the worker prints it; see ``printing``.
    """
    if printing.in_request():
        return printing.ordered(html, accent=accent, design=design, xml=xml, day=day)
    return _printer.print(job_of(html, accent=accent, design=design, xml=xml, day=day))


def job_of(html: str, *, accent: str, design: str, xml: bytes, day: dt.date | None) -> dict[str, Any]:
    """What the printing process is told: the words, our stylesheets and fonts, and what is embedded."""
    static = Path(settings.BASE_DIR) / "static"
    brand = accent if re.fullmatch("#[0-9a-fA-F]{6}", accent) else BRAND
    sheets = {
        f"{OURS}css/pdf-fonts.css": (static / "css" / "pdf-fonts.css").read_text(),
        f"{OURS}css/{design}-{brand[1:]}.css": stylesheet(design, brand),
    }
    fonts = {f"{OURS}fonts/pdf/{font.name}": str(font) for font in sorted((static / "fonts" / "pdf").glob("*.ttf"))}
    identifier = hashlib.sha256(html.encode() + xml).hexdigest()[:32]
    job = {"html": html, "stylesheets": sheets, "files": fonts, "identifier": identifier}
    if xml:
        assert day is not None
        job |= {"xml": base64.b64encode(xml).decode(), "day": day.isoformat()}
    return job


@cache
def stylesheet(design: str, brand: str) -> str:
    """A design in a company's colour; colours are written in here, since a parsed stylesheet is kept by the printer."""
    folder = Path(settings.BASE_DIR) / "static" / "css"
    css = (folder / "pdf.css").read_text() + (folder / f"pdf-{design}.css").read_text()
    colours = {**dict(re.findall(r"(--\w+): (#\w+);", css)), "--brand": brand}
    return re.sub(r"var\((--\w+)\)", lambda found: colours[found[1]], css)


class Printer:
    """One child process per process of ours, kept for the next document, replaced after 200 and after any failure."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._started_by = 0
        self._printed = 0

    def print(self, job: dict[str, Any]) -> bytes:
        """The PDF of one job of ``pdf_worker``. Raises CouldNotPrint after 60 s, or where the child says no or dies."""
        with self._lock:
            child = self._running()
            overtime = threading.Timer(WALL_SECONDS, child.kill)
            overtime.start()
            try:
                assert child.stdin is not None and child.stdout is not None
                write_frame(child.stdin, json.dumps(job).encode())  # type: ignore[arg-type]
                answer = read_frame(child.stdout)  # type: ignore[arg-type]
            except OSError:
                answer = None
            finally:
                overtime.cancel()
            self._printed += 1
            if answer is None or answer[:1] != b"\0" or self._printed >= PRINTS_PER_PROCESS:
                self._stop()
        if answer is None:
            raise CouldNotPrint(f"The printing process ended without an answer; a document may take {WALL_SECONDS} s.")
        if answer[:1] != b"\0":
            raise CouldNotPrint(answer[1:].decode())
        return answer[1:]

    def stop(self) -> None:
        """End the child; the next document starts a new one."""
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen[bytes]:
        # A forked copy of us must not talk through its parent's pipes.
        if self._child is not None and (self._started_by != os.getpid() or self._child.poll() is not None):
            self._stop()
        if self._child is None:
            cache = Path(settings.DATA_DIR) / "cache"
            cache.mkdir(mode=0o700, exist_ok=True)
            self._child = subprocess.Popen(
                [sys.executable, "-m", "invoices.pdf_worker"], cwd=settings.BASE_DIR, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "XDG_CACHE_HOME": str(cache), "HOME": str(cache)},
            )
            self._started_by, self._printed = os.getpid(), 0
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None or self._started_by != os.getpid():
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


_printer = Printer()
atexit.register(_printer.stop)
