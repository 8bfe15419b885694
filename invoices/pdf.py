"""Documents as PDF, printed by a process of its own that can open nothing but our stylesheet and fonts.

Never inside a transaction: printing takes tenths of a second. The bytes depend on the document alone.
"""

from __future__ import annotations

import atexit
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.utils import translation

from clients.models import Client, Contact
from core.models import StoredFile
from core.services import store_file

from .documents import InvoiceDocument, invoice_document
from .models import Invoice, ProForma
from .pdf_worker import read_frame, write_frame
from .pro_formas import ProFormaDocument, pro_forma_document
from .statements import Letter, OpenItem, Statement, item_statement_of, letter_to, statement_of

PDF = "application/pdf"
WALL_SECONDS = 60
PRINTS_PER_PROCESS = 200
OURS = "file:///ours/"  # the one address space a document can reach, and it exists only as a list of names


class CouldNotPrint(Exception):
    """The document was not printed; the message says why. Trying again is safe."""


def invoice_pdf(invoice: Invoice) -> StoredFile:
    """The PDF of an issued invoice: printed once from what was frozen at issue, then the same bytes for ever.

    ValueError for a draft, and for an item taken over from elsewhere: it has no document of ours.
    """
    if invoice.issued_at is None or invoice.is_taken_over:
        raise ValueError(f"{invoice} has no document of ours.")
    if invoice.pdf is None:
        stored = store_file(_print("pdf/invoice.html", invoice_document(invoice)), PDF)
        Invoice.objects.filter(pk=invoice.pk, pdf=None).update(pdf=stored)
        invoice.refresh_from_db(fields=["pdf"])
    assert invoice.pdf is not None
    return invoice.pdf


def pro_forma_pdf(pro_forma: ProForma) -> StoredFile:
    """The PDF of a pro forma: printed once from what was frozen when it was made, then the same bytes for ever."""
    if pro_forma.pdf is None:
        stored = store_file(_print("pdf/pro_forma.html", pro_forma_document(pro_forma)), PDF)
        ProForma.objects.filter(pk=pro_forma.pk, pdf=None).update(pdf=stored)
        pro_forma.refresh_from_db(fields=["pdf"])
    assert pro_forma.pdf is not None
    return pro_forma.pdf


def item_statement_pdf(invoice: Invoice, on: dt.date, contact: Contact | None = None) -> bytes:
    """The one-page statement of an item that was issued elsewhere, as it stands on a day."""
    return _print("pdf/statement.html", item_statement_of(invoice, on, contact))


def statement_pdf(client: Client, items: Sequence[OpenItem], on: dt.date, contact: Contact | None = None) -> bytes:
    """The statement of account of a client on a day; ``items`` are invoices with what is open on each."""
    return _print("pdf/statement.html", statement_of(client, items, on, contact))


def letter_pdf(
    client: Client, contact: Contact | None, *, subject: str, paragraphs: Iterable[str], items: Sequence[OpenItem],
    on: dt.date, closing: Iterable[str] = (), beside: Mapping[str, list[tuple[str, Decimal]]] | None = None,
) -> bytes:
    """A letter to a client about open items; all words, those of the labels ``beside`` too, are in their language."""
    letter = letter_to(
        client, contact, subject=subject, paragraphs=paragraphs, items=items, on=on, closing=closing, beside=beside
    )
    return _print("pdf/letter.html", letter)


def _print(template: str, document: InvoiceDocument | ProFormaDocument | Statement | Letter) -> bytes:
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError("A document is printed after the commit, never inside a transaction.")
    with translation.override(document.head.language):
        html = render_to_string(template, {"document": document})
    return print_html(html, accent=document.head.accent)


def print_html(html: str, *, accent: str = "") -> bytes:
    """HTML as PDF under our stylesheet; equal HTML gives equal bytes. Raises CouldNotPrint."""
    static = Path(settings.BASE_DIR) / "static"
    sheets = {f"{OURS}css/pdf.css": (static / "css" / "pdf.css").read_text()}
    if re.fullmatch("#[0-9a-fA-F]{6}", accent):
        sheets[f"{OURS}{accent[1:]}.css"] = f":root {{ --brand: {accent}; }}"
    fonts = {f"{OURS}fonts/pdf/{font.name}": str(font) for font in sorted((static / "fonts" / "pdf").glob("*.ttf"))}
    identifier = hashlib.sha256(html.encode()).hexdigest()[:32]
    return _printer.print({"html": html, "stylesheets": sheets, "files": fonts, "identifier": identifier})


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
