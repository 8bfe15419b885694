"""A request prints nothing: the worker does, and until then the reader is told that the document will come."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from core.services import read_file
from invoices import pdf, printing
from invoices.models import Invoice
from invoices.printing import BeingPrepared, CouldNotPrint, request_going_on
from invoices.services.linking import link_for, token_of
from invoices.tasks import print_order, print_row, print_what_waits
from tests.cast import TODAY, make_client, make_invoice


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was ordered; nobody hears it, and no request waits for long."""
    heard: list[tuple[Any, ...]] = []
    monkeypatch.setattr(printing, "ring", lambda *order: heard.append(order))
    monkeypatch.setattr(printing, "PATIENCE", 0)
    return heard


@pytest.fixture
def desk(clerk) -> Browser:
    browser = Browser()
    browser.force_login(clerk)
    return browser


def test_a_client_who_is_quicker_than_the_worker_is_told_and_gets_it_then(late_client, client, bell):
    invoice = make_invoice(late_client)
    link = link_for(invoice, None, timezone.now())
    address = f"/i/{link.pk}/{token_of(link)}/pdf/"
    answer = client.get(address)
    assert (answer.status_code, answer["Refresh"], answer["Referrer-Policy"]) == (202, "1", "no-referrer")
    assert address in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert bell == [(printing.PRINT_ROW, "invoices.invoice", invoice.pk)]
    assert Invoice.objects.get().pdf is None
    print_row(*bell[0][1:])
    answer = client.get(address)
    assert answer.status_code == 200 and answer.content == read_file(Invoice.objects.get().pdf.sha256)
    assert len(bell) == 1


def test_they_are_told_in_their_language(company, client, bell):
    invoice = make_invoice(make_client(company, language="fr"))
    link = link_for(invoice, None, timezone.now())
    said = client.get(f"/i/{link.pk}/{token_of(link)}/pdf/").content.decode()
    assert "en préparation" in said and 'lang="fr"' in said


def test_a_statement_lies_ready_for_the_day_once_it_was_printed(late_client, desk, bell):
    make_invoice(late_client)
    address = f"/clients/{late_client.pk}/statement.pdf"
    answer = desk.get(address)
    assert answer.status_code == 202 and "It opens here by itself" in answer.content.decode()
    assert [order[0] for order in bell] == [printing.PRINT_ORDER]
    print_order(bell[0][1])
    assert desk.get(address).content.startswith(b"%PDF") and desk.get(address).status_code == 200
    assert len(bell) == 1


def test_no_request_starts_a_printing_process(late_client, bell, monkeypatch):
    monkeypatch.setattr(pdf._printer, "print", lambda job: pytest.fail("printed in a request"))
    invoice = make_invoice(late_client)
    with request_going_on():
        with pytest.raises(BeingPrepared):
            pdf.invoice_pdf(invoice)
        with pytest.raises(BeingPrepared):
            pdf.print_html("<p>a statement</p>")


def test_why_a_document_cannot_be_printed_reaches_whoever_asked(monkeypatch):
    def broken(job: dict[str, Any]) -> bytes:
        raise CouldNotPrint("the paper is out.")

    monkeypatch.setattr(pdf._printer, "print", broken)
    with request_going_on():
        for _ in range(2):  # asked again, it is tried again
            with pytest.raises(CouldNotPrint, match="the paper is out"):
                pdf.print_html("<p>unprintable</p>")


def test_what_was_issued_is_printed_before_anybody_asks_and_older_things_are_not(late_client, bell):
    today = timezone.now().date()
    fresh = make_invoice(late_client, on=today)
    old = make_invoice(late_client, on=TODAY - dt.timedelta(days=400))
    print_what_waits()
    assert Invoice.objects.get(pk=fresh.pk).pdf and not Invoice.objects.get(pk=old.pk).pdf


def test_a_document_that_breaks_the_printing_keeps_no_other_from_being_printed(late_client, bell, monkeypatch, caplog):
    today, page = timezone.now().date(), "<p>ordered</p>"
    broken, sound = make_invoice(late_client, on=today), make_invoice(late_client, on=today)
    with request_going_on(), pytest.raises(BeingPrepared):
        pdf.print_html(page)
    printing._write(printing._place("0" * 64, "json"), b"not an order")
    one = printing._printables["invoices.invoice"]

    def print_one(row: Invoice) -> Any:
        if row.pk == broken.pk:
            raise ZeroDivisionError
        return one.print(row)

    monkeypatch.setitem(printing._printables, "invoices.invoice", printing.Printable(print_one, one.waiting))
    print_what_waits()
    assert Invoice.objects.get(pk=sound.pk).pdf and not Invoice.objects.get(pk=broken.pk).pdf
    with request_going_on():
        assert pdf.print_html(page).startswith(b"%PDF")
    assert "ZeroDivisionError" in caplog.text and "JSONDecodeError" in caplog.text


def test_an_order_nobody_heard_is_carried_out_by_the_tick_and_an_old_print_is_thrown_away(db, bell):
    page = "<p>ordered while nobody was there</p>"
    with request_going_on(), pytest.raises(BeingPrepared):
        pdf.print_html(page)
    print_what_waits()
    with request_going_on():
        assert pdf.print_html(page).startswith(b"%PDF")
    place = printing._place(bell[0][1], "pdf")
    before = time.time() - 2 * printing.KEPT.total_seconds()
    os.utime(place, (before, before))
    print_what_waits()
    assert not place.exists()
