"""How much CPU a one-page invoice with its QR code and e-invoice costs to print: `python bench/pdf.py`.

A warm printing process of ours, in both designs and no two documents alike, beside WeasyPrint used naively (fonts and
stylesheet anew for every document, a QR code of lines, the reader for tag soup) and beside Typst, which sets the same
page from a template of its own; then the memory of one process over a thousand documents. CPU is that of this process,
user and system, so that a busy machine does not count; but one whose cores are shared is slower all the same, and the
ratio says more.
"""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
DAY = dt.date(2026, 11, 21)

LINES = (  # description, detail, quantity, unit price, tax
    ("Wholesale portal — interface design", "Ordering flow, account area, 14 screens incl. mobile", "24 h", "120", 19),
    ("Design system hand-over", "Component library and usage notes", "1", "1450.00", 19),
    ("Usability sessions", "Five moderated interviews, 10–12 November", "5", "95.00", 19),
    ("Illustrated field guide “Origins”", "Printed reference copies", "2", "14.46", 7),
)


def document(design: str = "ledger", turn: int = 0) -> Any:
    """An invoice of four lines as it reaches the template: two tax rates, a transfer with a QR code, all facts.

    No two turns have a number, sum, day, line or client in common; the company's own words and the labels stay.
    """
    from core.references import rf_reference
    from invoices.documents import InvoiceDocument, LineRow, Paper, Party
    from invoices.paying import Row, late_terms, ways_to_pay

    said = lines(turn)
    net = {rate: sum((amount for _line, tax, amount in said if tax == rate), Decimal(0)) for rate in (19, 7)}
    tax = {rate: round(amount * rate / 100, 2) for rate, amount in net.items()}
    total, number = sum(net.values()) + sum(tax.values()), f"LO-2026-{147 + turn:04}"
    issued = DAY + dt.timedelta(days=turn)
    due = issued + dt.timedelta(days=14)
    seller = Party("Lumen & Oak Studio GmbH", ("Oranienstraße 58", "10969 Berlin", "Germany", "VAT no. DE136695976"))
    buyer = Party(
        f"Harbour Lane Coffee {turn} GmbH",
        (f"Mara Winter {turn}, Accounts Payable", f"Speicherstadt {14 + turn}", f"{20457 + turn} Hamburg", "Germany",
         f"VAT no. DE{811569869 + turn}"),
    )
    foot = (
        "Lumen & Oak Studio GmbH · HRB 204511 B, Amtsgericht Charlottenburg · Managing director: Ida Brandt",
        "billing@lumenoak.example · +49 30 5550 147",
    )
    facts = {
        "seller": {"legal_name": seller.name},
        "bank": {
            "holder": seller.name, "bank_name": "", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX",
            "account_number": "", "routing_number": "",
        },
        "methods": [{"kind": kind, "instructions": ""} for kind in ("transfer", "cheque", "cash")],
    }
    return InvoiceDocument(
        head=Paper(
            language="en", paper="A4", design=design, accent=ACCENT, brand="Lumen & Oak Studio",
            tagline="Brand & product design", sender=seller, recipient=buyer, foot=foot,
            email="billing@lumenoak.example", phone="+49 30 5550 147",
        ),
        number=number,
        issued=issued,
        amount=f"€{total:,}",
        due_words=f"14 days from {issued:%-d %B} — by {due:%-d %B %Y}",
        terms_label="net 14 days",
        facts=tuple(
            Row(label, value) for label, value in (
                ("Issued", f"{issued:%-d %B %Y}"), ("Due", f"{due:%-d %B %Y}"),
                ("Service", f"1–{issued:%-d %B %Y}"), ("Your order", f"PO-{88213 + turn}"),
                ("Customer no.", f"C-{42 + turn:04}"),
            )
        ),
        lines=tuple(LineRow(*line, f"€{amount:,}") for line, _tax, amount in said),
        has_tax=True,
        tax_name="VAT",
        totals=(
            Row("Net", f"€{sum(net.values()):,}"),
            *(Row(f"VAT {rate}% on €{amount:,}", f"€{tax[rate]:,}") for rate, amount in net.items()),
        ),
        total=f"€{total:,}",
        ways=ways_to_pay(
            facts, amount=total, currency="EUR", reference=rf_reference(number.replace("-", "")), number=number
        ),
        late_terms=late_terms(Decimal("11.27"), f"{due:%-d %B %Y}", "en"),
        credit_terms="",
        note="",
    )  # fmt: skip


def lines(turn: int) -> list[tuple[tuple[str, ...], int, Decimal]]:
    """The lines of a turn as they are printed, each with its tax rate and its amount."""
    found = []
    for description, detail, quantity, price, tax in LINES:
        each = Decimal(price) + Decimal(turn) / 100
        words = (f"{description} {turn}", f"{detail} {turn}", quantity, f"€{each:,}", f"{tax}%")
        found.append((words, tax, each * int(quantity.split()[0])))
    return found


E_INVOICE = b"<?xml version='1.0' encoding='UTF-8'?><rsm:CrossIndustryInvoice xmlns:rsm='urn:x'>" + b"".join(
    b"<ram:Line><ram:ID>%d</ram:ID><ram:Amount>%d.00</ram:Amount></ram:Line>" % (n, n * 137) for n in range(150)
) + b"</rsm:CrossIndustryInvoice>"  # the size of a usual one, about 10 kB
ACCENT = "#0f5f57"
LIMIT = 0.12  # seconds of CPU, the median of ROUNDS on a warm process
ROUNDS, NAIVE_ROUNDS = 100, 20
MEMORY_ROUNDS, GROWTH = 1000, 0.20


def job(design: str = "ledger", turn: int = 0) -> dict[str, Any]:
    """What the printing process is told for one invoice."""
    from django.template.loader import render_to_string

    from invoices.pdf import job_of

    html = render_to_string("pdf/invoice.html", {"document": document(design, turn)})
    return job_of(html, accent=ACCENT, design=design, xml=E_INVOICE, day=DAY)


def naive(ours: dict[str, Any]) -> bytes:
    """The same page as a first attempt prints it."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    from invoices import factur_x
    from invoices.pdf_worker import deny_all_fetcher

    fetcher, fonts = deny_all_fetcher(ours["files"]), FontConfiguration()
    way = document().ways[0]
    html = ours["html"].replace(way.qr_print, way.qr)
    page: bytes = HTML(string=html, base_url="about:blank", url_fetcher=fetcher).write_pdf(
        stylesheets=[
            CSS(string=text, base_url=address, url_fetcher=fetcher, font_config=fonts)
            for address, text in ours["stylesheets"].items()
        ],
        font_config=fonts, pdf_variant="pdf/a-3b", pdf_tags=True, pdf_identifier=b"x",
        attachments=[factur_x.attachment(E_INVOICE, DAY)], finisher=factur_x.complete,
    )  # fmt: skip
    return page


def typst_page(folder: Path) -> Callable[[], bytes]:
    """The same words set by Typst, kept warm by its own compiler, with the e-invoice attached."""
    import typst

    said = document()
    (folder / "qr.png").write_bytes(base64.b64decode(said.ways[0].qr_print.partition(",")[2]))
    (folder / "factur-x.xml").write_bytes(E_INVOICE)
    numbers = itertools.count()
    (folder / "page.typ").write_text("")
    compiler = typst.Compiler(
        input=str(folder / "page.typ"), root=str(folder), ignore_system_fonts=True,
        font_paths=[str(ROOT / "static" / "fonts" / "pdf")],
    )

    def another() -> bytes:
        """One more, of which no word was set before: what Typst remembers of the last one does not count."""
        (folder / "page.typ").write_text(_typst(said, next(numbers)))
        page: bytes = compiler.compile(format="pdf", pdf_standards=["a-3b"])
        return page

    return another


def _typst(said: Any, number: int) -> str:
    def text(words: str) -> str:
        return f'#"{number} ' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def rows(pairs: Any) -> str:
        return ", ".join(f"[{text(label)}], [{text(value)}]" for label, value in pairs)

    lines = ", ".join(
        f"[*{text(line.description)}* \\ {text(line.detail)}], [{text(line.quantity)}], [{text(line.unit_price)}], "
        f"[{text(line.tax)}], [{text(line.amount)}]"
        for line in said.lines
    )
    parties = ", ".join(
        "[*" + text(party.name) + "* \\ " + " \\ ".join(map(text, party.lines)) + "]"
        for party in (said.head.recipient, said.head.sender)
    )
    bank = rows((row.label, row.value) for row in said.ways[0].rows)
    facts = rows((fact.label, fact.value) for fact in said.facts)
    totals = rows([*((row.label, row.value) for row in said.totals), ("Total due", said.total)])
    other = " \\ ".join(f"{text(way.title)}: {text(way.text)}" for way in said.ways[1:])
    return f"""#set document(title: "Invoice {said.number}", date: datetime(year: 2026, month: 11, day: 21))
#set page(paper: "a4", margin: 17mm, footer: [{" ".join(map(text, said.head.foot))}])
#set text(font: "AR Ledger Inter", size: 9pt)
#pdf.attach("factur-x.xml", relationship: "alternative", mime-type: "text/xml", description: "invoice")
#grid(columns: (1fr, auto), [*{text(said.head.brand)}* \\ {text(said.head.tagline)}], text(18pt)[*Invoice*])
#block(fill: rgb("{ACCENT}"), width: 100%, inset: 5mm, radius: 3mm, text(white)[
  #grid(columns: (47mm, 1fr), text(21pt)[*{text(said.amount)}*], [{text(said.due_words)}])])
#grid(columns: (1fr, 1fr, 1.2fr), {parties}, [#table(columns: 2, stroke: none, {facts})])
#table(columns: (1fr, 21mm, 31mm, 17mm, 33mm), stroke: (bottom: .2mm), {lines})
#align(right, table(columns: 2, stroke: none, {totals}))
#block(fill: luma(245), width: 100%, inset: 5mm, radius: 3mm)[
  #grid(columns: (36mm, 1fr, 1fr), image("qr.png", width: 28mm), table(columns: 2, stroke: none, {bank}), [{other}])
  {text(said.late_terms)}]
"""


def cpu() -> float:
    """Seconds of CPU this process has used, all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], object], rounds: int) -> float:
    """The median CPU of one round, in seconds, after five that do not count."""
    return statistics.median([spent(work) for _ in range(5 + rounds)][5:])


def spent(work: Callable[[], object]) -> float:
    """The CPU of one round, in seconds."""
    before = cpu()
    work()
    return cpu() - before


def printed(press: Any, design: str, rounds: int) -> list[float]:
    """The CPU of as many documents, none like another, in seconds, after five that do not count."""
    took = []
    for turn in range(5 + rounds):
        told = job(design, turn)
        took.append(spent(lambda told=told: press.print(told)))
    return took[5:]


def rss() -> float:
    """Memory of this process at present, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def main() -> int:
    """Print every figure beside its limit; 1 where one is missed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arledger.settings")
    import django

    django.setup()
    from invoices.pdf_worker import Press

    press, ours = Press(), {design: job(design) for design in ("ledger", "plain")}
    first = press.print(ours["ledger"])
    medians = {design: statistics.median(printed(press, design, ROUNDS)) for design in ours}
    beside = timed(lambda: naive(ours["ledger"]), NAIVE_ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        set_by_typst = typst_page(Path(folder))
        size, typst_takes = len(set_by_typst()), timed(set_by_typst, ROUNDS)
    print(f"one page, QR code, e-invoice of {len(E_INVOICE) / 1e3:.0f} kB inside; CPU of the printing process, warm")
    for design, median in medians.items():
        verdict = "ok" if median <= LIMIT else "MISSED"
        print(f"  {design:<9} {median:6.3f} s   limit {LIMIT} s {verdict:<7} {median / beside:4.2f} of the naive use")
    print(f"  naive     {beside:6.3f} s")
    print(f"  typst     {typst_takes:6.3f} s   ({size / 1e3:.0f} kB; ours {len(first) / 1e3:.0f} kB)")
    fresh = Press()
    for turn in range(100):
        fresh.print(job("ledger", turn))
    early = rss()
    for turn in range(100, MEMORY_ROUNDS):
        fresh.print(job("ledger", turn))
    late = rss()
    grown = late / early - 1
    verdict = "ok" if grown < GROWTH else "MISSED"
    print(f"memory after 100 documents {early:.1f} MB, after {MEMORY_ROUNDS:,} {late:.1f} MB: {grown:+.1%}, "
          f"limit +{GROWTH:.0%} {verdict}")
    same = press.print(ours["ledger"]) == first
    print(f"equal input, equal bytes over {MEMORY_ROUNDS:,} documents: {'ok' if same else 'MISSED'}")
    return int(max(medians.values()) > LIMIT or grown >= GROWTH or not same)


if __name__ == "__main__":
    sys.exit(main())
