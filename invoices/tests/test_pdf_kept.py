"""What the printing process keeps changes no document: beside WeasyPrint as it comes, in every order of printing."""

from __future__ import annotations

import io
import re
import zlib
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

from invoices import pdf, pdf_kept, pdf_worker
from invoices.documents import invoice_document
from invoices.pdf_worker import Press
from tests.cast import TODAY, make_client, make_invoice

pytestmark = [
    pytest.mark.once,  # what stands on paper does not depend on the database
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]  # WeasyPrint leaves its colour profile open


@pytest.fixture
def jobs(company, monkeypatch):
    """An invoice, a statement of two sheets in the other design on the other paper, and a letter with a table."""
    monkeypatch.setattr(
        pdf_worker, "gc", SimpleNamespace(**dict.fromkeys(["enable", "disable", "collect", "freeze"], int))
    )
    told: list[dict] = []
    monkeypatch.setattr(pdf._printer, "print", lambda job: told.append(job) or b"")
    usual = make_client(company, "C-1", design="ledger", paper="A4")
    other = make_client(company, "C-2", design="plain", paper="Letter", language="fr")
    german = make_client(company, "C-3", design="ledger", paper="Letter", language="de")
    invoice = make_invoice(usual, "1000", tax="19")
    pdf.print_document("pdf/invoice.html", invoice_document(invoice), xml=b"<x/>", day=TODAY)
    pdf.statement_pdf(other, [(invoice, invoice.balance)], TODAY)
    words = ["Guten Tag,", "eine Zeile\nund noch eine; " + "und weiter " * 40]
    pdf.letter_pdf(german, None, subject="Mahnung", paragraphs=words, items=[(invoice, invoice.balance)], on=TODAY)
    told[1]["html"] = re.sub("(?s)<tr><td>.*?</tr>", lambda row: row[0] * 28, told[1]["html"], count=1)
    return told


def said_in(content: bytes) -> list[bytes]:
    """Every stream of a file and every object, without what only says how a rule is drawn and in which colour.

    Where an object stands in the file depends on how well the one before it was packed.
    """
    streams = []
    for packed in re.findall(rb"\nstream\n(.*?)\nendstream", content, re.DOTALL):
        try:
            streams.append(zlib.decompress(packed))
        except zlib.error:
            streams.append(packed)
    assert len(streams) > 5
    *streams, _table_of_places = streams
    return [
        re.sub(rb"/Artifact\nBMC\n.*?EMC\n|[\d. ]+ rg\n|/a[\d.]+ gs\n", b"", one, flags=re.DOTALL) for one in streams
    ]


def rules_in(content: bytes) -> list[tuple[int, ...]]:
    """Where the rules of one side are, in tenths of a point: what is cut out of a frame, or a rectangle."""
    number = rb"(-?[\d.]+)"
    cut = rb"\n".join(number + rb" " + number + (rb" m", rb" l", rb" l", rb" l")[n] for n in range(4)) + rb"\nW\*"
    found = []
    for packed in re.findall(rb"\nstream\n(.*?)\nendstream", content, re.DOTALL):
        try:
            drawn = zlib.decompress(packed)
        except zlib.error:
            continue
        for corners in re.findall(cut, drawn):
            x, y = [float(n) for n in corners[::2]], [float(n) for n in corners[1::2]]
            found.append((min(x), min(y), max(x) - min(x), max(y) - min(y)))
        rectangle = rb"BMC\n(?:[\d. ]+ rg\n|/a[\d.]+ gs\n)*" + rb" ".join([number] * 4) + rb" re\nf\nEMC"
        found += [tuple(float(n) for n in sides) for sides in re.findall(rectangle, drawn)]
    return sorted(tuple(round(n * 10) for n in place) for place in found)


def test_documents_one_after_another_are_what_each_would_be_alone(jobs):
    press = Press()
    ours, press.kept = press.kept, SimpleNamespace(in_force=nullcontext)
    alone = [press.print(job) for job in jobs]
    press.kept = ours
    first = [press.print(job) for job in jobs]
    assert [said_in(content) for content in first] == [said_in(content) for content in alone]
    assert [len(PdfReader(io.BytesIO(content)).pages) for content in first] == [1, 2, 1]
    again = [press.print(job) for job in (jobs[2], jobs[0], jobs[1], jobs[0])]
    assert again == [first[2], first[0], first[1], first[0]]
    assert [rules_in(content) for content in first] == [rules_in(content) for content in alone]
    assert min(len(rules_in(content)) for content in first) > 5


def test_what_is_kept_is_bounded_and_can_be_dropped_between_two_documents(jobs, monkeypatch):
    press, jobs = Press(), [jobs[2], jobs[0]]
    first = [press.print(job) for job in jobs]
    for name in ("STYLES_AT_MOST", "LINES_AT_MOST", "SEEN_AT_MOST"):
        monkeypatch.setattr(pdf_kept, name, 3)
    assert [press.print(job) for job in jobs] == first
    assert not press.kept._styles and not press.kept._lines and not press.kept._seen
    assert press.print(jobs[0]) == first[0]


def test_outside_the_press_weasyprint_is_as_it_came():
    import pydyf
    from weasyprint import draw
    from weasyprint.layout import block, inline
    from weasyprint.text.line_break import Layout

    def ways():
        return (
            pydyf.Stream.data, pydyf.Dictionary.data, Layout.deactivate, inline.split_first_line,
            block.resolve_percentages, draw.draw_border,
        )  # fmt: skip

    before = ways()
    with Press().kept.in_force():
        assert not set(ways()) & set(before)
    assert ways() == before
