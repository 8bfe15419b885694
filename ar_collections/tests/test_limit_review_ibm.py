"""The limit proposal for every client of a real book as of a day; what lies after the day changes nothing."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from core.models import Company
from imports.cells import Reading
from imports.services.open_items import Taking, import_open_items
from tests.cast import make_company
from tests.real_data import IBM, IBM_DATES, IBM_MAP, needs_ibm

pytestmark = pytest.mark.django_db

AS_OF = dt.date(2013, 6, 30)
Rows = list[dict[str, str]]


def read(text: str) -> Rows:
    return list(csv.DictReader(io.StringIO(text)))


def day(cell: str) -> dt.date:
    return dt.datetime.strptime(cell, IBM_DATES).date()


def shuffled(rows: Rows) -> Rows:
    """The same file with all that lies after the day dealt out anew: whole later rows, and days of later payments."""
    chance = random.Random(3)
    known = [dict(row) for row in rows if day(row["InvoiceDate"]) <= AS_OF]
    later = [dict(row) for row in rows if day(row["InvoiceDate"]) > AS_OF]
    for column in ("customerID", "InvoiceAmount"):
        cells = [row[column] for row in later]
        chance.shuffle(cells)
        for row, cell in zip(later, cells, strict=True):
            row[column] = cell
    for row in known:
        if day(row["SettledDate"]) > AS_OF:
            row["SettledDate"] = (AS_OF + dt.timedelta(days=chance.randrange(1, 200))).strftime(IBM_DATES)
    both = known + later
    chance.shuffle(both)
    return both


def proposals(rows: Rows, code: str) -> list[dict[str, Any]]:
    company = make_company(code, currency="USD", country="US", time_zone="America/New_York")
    out = io.StringIO()
    table = csv.DictWriter(out, rows[0])
    table.writeheader()
    table.writerows(rows)
    reading = Reading(mapping=IBM_MAP, date_format=IBM_DATES, currency="USD")
    import_open_items(
        out.getvalue().encode(), Taking(reading=reading, company=code), on=dt.date(2014, 1, 31), by="test"
    )
    answer = io.StringIO()
    call_command("limit_review", "--as-of", AS_OF.isoformat(), "--company", code, "--json", stdout=answer)
    found = json.loads(answer.getvalue())["proposals"]
    assert Company.objects.get(code=code) == company
    return [{name: value for name, value in p.items() if name != "company"} for p in found]


def check(rows: Rows) -> list[dict[str, Any]]:
    """Every client known by the day has a proposal with reasons that adds up; the later rows count for nothing."""
    found = proposals(rows, "us")
    assert {p["client"] for p in found} == {r["customerID"] for r in rows if day(r["InvoiceDate"]) <= AS_OF}
    for p in found:
        assert p["reasons"] and all(reason["says"] for reason in p["reasons"])
        *lines, total = p["arithmetic"]
        assert sum(Decimal(line["amount"]) for line in lines) == Decimal(total["amount"]) == Decimal(p["proposed"])
    assert proposals(shuffled(rows), "again") == found
    return found


def by_hand(rows: Rows, number: str) -> tuple[int, int]:
    """From the file itself: what fell due in the year before the day, and what of it was paid in time."""
    since = AS_OF - dt.timedelta(days=365)
    mine = [[day(r[c]) for c in ("DueDate", "SettledDate", "InvoiceDate")] for r in rows if r["customerID"] == number]
    judged = [
        (due, paid) for due, paid, issued in mine
        if issued <= AS_OF and ((paid <= AS_OF and due > since) or (paid > AS_OF and due < AS_OF))
    ]
    return len(judged), sum(paid <= min(due, AS_OF) for due, paid in judged)


@needs_ibm
def test_every_client_of_the_ibm_book_as_of_june_2013() -> None:
    rows = read(IBM.read_text())
    found = check(rows)
    print()
    print(len(found), Counter((p["move"], p["risk"]) for p in found))
    for p in found:
        assert (p["behaviour"]["judged"], p["behaviour"]["on_time"]) == by_hand(rows, p["client"]), p["client"]
    assert len(found) == 100
    assert {p["risk"] for p in found} == {"low", "medium", "high"}


def test_a_likeness_of_our_own() -> None:
    """The same over a made-up book of 240 invoices, for where the real one may not lie."""
    book, rows = random.Random(11), []
    for n in range(240):
        issued = dt.date(2012, 7, 1) + dt.timedelta(days=book.randrange(480))
        late = book.gauss((n % 12) * 3 - 12, 6)
        rows.append(
            {
                "customerID": f"K-{n % 12:02d}", "invoiceNumber": f"{n:06d}",
                "InvoiceDate": issued.strftime(IBM_DATES),
                "DueDate": (issued + dt.timedelta(days=30)).strftime(IBM_DATES),
                "InvoiceAmount": str(Decimal(book.randrange(500, 20_000)) / 100),
                "SettledDate": (issued + dt.timedelta(days=max(1, int(30 + late)))).strftime(IBM_DATES),
            }
        )
    found = check(rows)
    assert {p["risk"] for p in found} == {"low", "medium", "high"}
    for p in found:
        assert (p["behaviour"]["judged"], p["behaviour"]["on_time"]) == by_hand(rows, p["client"])
