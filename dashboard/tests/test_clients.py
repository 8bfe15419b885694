"""Clients at the desk: the list, those nobody can write to, the file, and what is kept from it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from ar_collections.models import ContactLog, Pause, Promise
from ar_collections.services.desk import open_task
from ar_collections.services.stages import stage_of
from clients.models import Client, Contact
from clients.services.status import set_status
from dashboard.reports.clients import clients_shown, listed_clients, owed_by, owed_in
from disputes.models import Dispute
from invoices.services.exposure import exposures_of
from tests.cast import TODAY, invoice_due, make_client, make_company, make_invoice

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def test_only_staff_come_in(client, company, clerk):
    assert client.get("/clients/").url == "/account/login/?next=/clients/"
    clerk.is_staff = False
    clerk.save()
    client.force_login(clerk)
    assert client.get("/clients/").status_code == 302


def test_without_a_company_the_desk_says_how_to_begin(client, clerk):
    client.force_login(clerk)
    answer = client.get("/clients/")
    assert answer.status_code == 503
    assert "setup_link" in text(answer)


def test_the_list_says_what_each_owes_and_finds_by_person(desk, late_client, good_client):
    invoice_due(late_client, TODAY - dt.timedelta(days=10), "250")
    make_invoice(late_client, "100", on=TODAY)
    Contact.objects.filter(client=late_client).update(name="Priya Nair")
    page = text(desk.get("/clients/?q=Priya"))
    assert "Harbour Lane Coffee" in page and "Osprey" not in page
    assert "€350.00" in page and "€250.00" in page
    assert "Osprey" not in text(desk.get("/clients/?show=late"))


def test_no_client_yet_says_what_to_do(desk):
    assert "Add or import your first client" in text(desk.get("/clients/"))


def test_the_csv_is_the_filtered_set_and_computes_nothing(desk, company, late_client):
    make_client(company, "C-9", name="=HYPERLINK(1)")
    answer = desk.get("/clients/?q=HYPER&format=csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("C-9,'=HYPERLINK(1),DE")


def test_lists_ask_the_database_the_same_number_of_questions_however_long(desk, company, django_assert_max_num_queries):
    for n in range(30):
        invoice_due(make_client(company, f"C-{n}"), TODAY - dt.timedelta(days=n), "10")
    with django_assert_max_num_queries(25):
        desk.get("/clients/")


def test_a_page_says_what_the_file_of_all_says(company, good_client, late_client):
    make_client(company, "C-3")
    for client, amount, due in ((good_client, "10", 5), (late_client, "20", -5), (late_client, "30", 0)):
        invoice_due(client, TODAY + dt.timedelta(days=due), amount)
    make_invoice(late_client, "7", currency="USD", on=TODAY - dt.timedelta(days=60))
    clients = clients_shown([late_client.pk, good_client.pk], TODAY)
    listed = {client.pk: client for client in listed_clients(company, TODAY)}
    assert [client.pk for client in clients] == [late_client.pk, good_client.pk]
    assert [(c.oldest, c.stage) for c in clients] == [(listed[c.pk].oldest, listed[c.pk].stage) for c in clients]
    assert clients[0].oldest == TODAY - dt.timedelta(days=30) and clients[1].oldest is None
    assert owed_in(exposures_of(clients, TODAY), clients) == dict(owed_by(clients, TODAY))


def test_whom_nobody_can_write_to_is_counted_in_the_company_looked_at(desk, company, late_client):
    assert "without a contact" not in text(desk.get("/clients/"))
    late_client.contacts.create(name="Second", email="second@client.example")
    make_client(company, "C-7", email=None)
    left = make_client(company, "C-8")
    left.contacts.update(is_active=False)
    assert "2 without a contact" in text(desk.get("/clients/"))
    make_client(make_company("other"), "C-9")
    for address in ("/clients/", "/clients/?show=owing", "/clients/?q=nobody"):
        assert "2 without a contact" in text(desk.get(address))
    left.contacts.update(is_active=True, bounced_at=timezone.now())
    assert "2 without a contact" in text(desk.get("/clients/"))


def test_a_new_client_gets_the_default_terms_and_then_a_contact(desk, company):
    facts = {"name": "Zilver", "number": "0042", "currency": "EUR", "language": "en"}
    answer = desk.post("/clients/new/", facts)
    made = Client.objects.get()
    assert (made.number, made.terms) == ("0042", company.terms.get())
    assert answer.url == url("contact_new", made.pk)
    desk.post(answer.url, {"name": "Sanne", "role": "accounts_payable", "email": "sanne@zilver.example"})
    assert made.contacts.get().email == "sanne@zilver.example"


def test_a_number_that_is_taken_is_refused_and_nothing_is_saved(desk, late_client):
    facts = {"name": "Other", "number": late_client.number, "currency": "EUR", "language": "en"}
    answer = desk.post("/clients/new/", facts)
    assert answer.status_code == 422
    assert "already exists" in text(answer)
    assert Client.objects.count() == 1


def test_two_people_never_overwrite_each_other_unseen(desk, late_client):
    page = url("client_edit", late_client.pk)
    facts = {"name": "Mine", "number": late_client.number, "currency": "EUR", "language": "en", "version": 1}
    assert desk.post(page, facts).status_code == 302
    answer = desk.post(page, facts | {"name": "Theirs"})
    assert "Somebody else changed this client" in text(answer)
    late_client.refresh_from_db()
    assert late_client.name == "Mine"


def test_who_is_cash_only_is_not_entered_again_under_its_tax_number(desk, company, late_client):
    barred = make_client(company, "C-9", name="Vantage", tax_number="DE136695976", country="DE")
    set_status(barred, "cash_only", because="61 days overdue", source="policy", on=TODAY, by="system")
    facts = {"name": "Vantage Two", "number": "C-10", "country": "DE", "currency": "EUR", "language": "en"}
    facts |= {"version": "1"}
    for page in (url("client_new"), url("client_edit", late_client.pk)):
        answer = desk.post(page, facts | {"tax_number": "DE 136 695 976"})
        assert "Vantage (C-9) has the same VAT or tax number and is cash-only" in text(answer)
        assert not Client.objects.filter(number="C-10").exists()
    assert desk.post(url("client_new"), facts).status_code == 302


def test_nobody_to_write_to_is_a_list_with_a_row_to_fill(desk, company):
    silent = make_client(company, "C-7", email=None, name="Grünfink")
    make_invoice(silent, "75")
    page = url("clients_without_contact")
    assert "€75.00" in text(desk.get(page))
    row = {f"{silent.pk}-name": "Greta", f"{silent.pk}-email": "greta@", f"{silent.pk}-phone": "", "client": silent.pk}
    assert desk.post(page, row).status_code == 422
    assert desk.post(page, row | {f"{silent.pk}-email": "greta@finch.example"}).status_code == 302
    assert "Everybody can be written to" in text(desk.get(page))


def test_the_file_shows_what_is_owed_by_age_and_what_comes_next(desk, late_client, django_assert_max_num_queries):
    invoice_due(late_client, TODAY - dt.timedelta(days=40), "500")
    make_invoice(late_client, "100", on=TODAY)
    with django_assert_max_num_queries(66):
        page = text(desk.get(url("client", late_client.pk)))
    assert "€600.00" in page and "31–60 days" in page and "40 days late" in page
    assert "for LO-2026-" in page and "if nothing changes" in page


def test_a_logged_contact_says_with_whom_and_what_comes_next(desk, late_client):
    page = url("client_log", late_client.pk)
    said = {
        "key": "k1",
        "contact": late_client.contacts.get().pk,
        "happened_at": "2026-11-18T11:05",
        "channel": "call",
        "direction": "out",
        "outcome": "spoke",
        "said": "Payment run on Friday.",
        "next_step": "Look",
        "next_on": "2026-11-20",
    }
    assert desk.post(page, said).status_code == 302
    kept = ContactLog.objects.get()
    assert (kept.with_whom, kept.outcome, kept.logged_by) == ("Mara Winter", "spoke", "Ada Kowalska")
    assert kept.happened_at == dt.datetime(2026, 11, 18, 10, 5, tzinfo=dt.UTC)  # Berlin is an hour ahead
    desk.post(page, said)
    assert ContactLog.objects.count() == 1


def test_a_promise_told_on_the_telephone_is_asked_for_next_and_the_call_is_done(desk, late_client):
    invoice_due(late_client, TODAY - dt.timedelta(days=20), "500")
    call = open_task(late_client, "call", because="late", due_on=TODAY, on=TODAY, by="system")
    said = {"key": "k9", "happened_at": "2026-11-18T11:05", "channel": "call", "direction": "out"}
    said["outcome"] = "promised"
    answer = desk.post(url("client_log", late_client.pk), said)
    assert answer.url == url("client_promise", late_client.pk)
    call.refresh_from_db()
    assert call.closed_on == TODAY


def test_a_contact_without_an_outcome_is_refused(desk, late_client):
    answer = desk.post(url("client_log", late_client.pk), {"key": "k2", "happened_at": "2026-11-18T11:05"})
    assert answer.status_code == 422
    assert not ContactLog.objects.exists()


def test_the_wrong_person_gives_way_to_the_right_one(desk, late_client):
    said = {
        "key": "k3",
        "contact": late_client.contacts.get().pk,
        "happened_at": "2026-11-18T11:05",
        "channel": "call",
        "direction": "out",
        "outcome": "wrong_person",
        "right_name": "Emre Demir",
        "right_email": "emre@client.example",
    }
    desk.post(url("client_log", late_client.pk), said)
    assert list(Contact.objects.filter(is_active=True).values_list("name", flat=True)) == ["Emre Demir"]


def test_a_pause_has_an_end_and_can_be_ended(desk, late_client):
    page = url("client_pause", late_client.pk)
    refused = desk.post(page, {"reason": "Holiday", "until": "2026-11-01"})
    assert "A pause ends today or later" in text(refused)
    desk.post(page, {"reason": "Holiday", "until": "2026-12-01"})
    pause = Pause.objects.get()
    assert "Reminders pause until 1 Dec 2026" in text(desk.get(url("client", late_client.pk)))
    desk.post(url("pause_end", pause.pk))
    pause.refresh_from_db()
    assert pause.ended_on == TODAY


def test_a_promise_is_kept_in_view_and_can_be_withdrawn(desk, late_client):
    invoice = invoice_due(late_client, TODAY - dt.timedelta(days=5), "500")
    page = url("client_promise", late_client.pk)
    too_much = desk.post(page, {"invoice": invoice.pk, "amount": "501", "promised_for": "2026-11-25"})
    assert too_much.status_code == 422
    unclear = desk.post(page, {"invoice": invoice.pk, "amount": "1,0", "promised_for": "2026-11-25"})
    assert unclear.status_code == 422 and not Promise.objects.exists()  # one, or ten: nothing is guessed
    desk.post(page, {"invoice": invoice.pk, "amount": "10", "promised_for": "2026-11-25"})
    assert Promise.objects.get().amount == Decimal(10)
    desk.post(url("promise_withdraw", Promise.objects.get().pk))
    assert Promise.objects.get().withdrawn_on == TODAY


def test_a_dispute_leaves_chasing_and_is_closed_with_an_outcome(desk, late_client):
    invoice = invoice_due(late_client, TODAY - dt.timedelta(days=5), "500")
    desk.post(url("invoice_dispute", invoice.pk), {"reason": "price", "text": "Too dear", "revisit_on": "2026-11-25"})
    dispute = Dispute.objects.get()
    assert "Disputed" in text(desk.get(url("invoice", invoice.pk)))
    assert desk.post(url("dispute_close", dispute.pk), {"outcome": " "}).status_code == 422
    desk.post(url("dispute_close", dispute.pk), {"outcome": "Explained the hours."})
    dispute.refresh_from_db()
    assert dispute.closed_on == TODAY


def test_the_stage_moves_with_a_reason_and_only_where_the_map_allows(desk, late_client):
    page = url("client_stage", late_client.pk)
    assert desk.post(page, {"stage": "handed_over", "because": "no answer"}).status_code == 422
    assert desk.post(page, {"stage": "reminded", "because": "by hand"}).status_code == 302
    assert stage_of(late_client) == "reminded"


def test_a_contact_who_left_is_no_longer_written_to(desk, late_client):
    person = late_client.contacts.get()
    desk.post(url("contact_retire", person.pk))
    person.refresh_from_db()
    assert not person.is_active
    assert "Nobody here can be written to" in text(desk.get(url("client", late_client.pk)))


def test_each_company_has_its_own_clients_and_the_rail_changes_between_them(desk, company, late_client):
    other = make_company("us", name="Lumen US", currency="USD")
    make_client(other, "1001", name="Cascade")
    assert "Cascade" not in text(desk.get("/clients/"))
    desk.post(url("choose_company"), {"company": other.pk})
    page = text(desk.get("/clients/"))
    assert "Cascade" in page and "Harbour" not in page


def test_the_clock_on_the_file_is_the_client_s_and_not_ours(desk, company):
    there = make_client(company, "C-SF", time_zone="America/Los_Angeles")
    assert "04:00 there now" in desk.get(f"/clients/{there.pk}/").content.decode()


def test_nonsense_instead_of_a_client_is_not_found(desk):
    for nonsense in ("x", "²", ""):
        assert desk.post(url("clients_without_contact"), {"client": nonsense}).status_code == 404


def test_what_is_owed_in_another_currency_is_seen_and_found(desk, good_client, late_client):
    make_invoice(good_client, "70", on=TODAY - dt.timedelta(days=60), currency="USD")
    answer = desk.get("/clients/")
    row = next(text(answer).split("</tr>")[n] for n, part in enumerate(text(answer).split("</tr>")) if "Osprey" in part)
    assert row.count("$70.00") == 2
    for show, names in (("owing", ["Osprey Logistics"]), ("late", ["Osprey Logistics"]), ("quiet", [late_client.name])):
        assert [client.name for client in desk.get(f"/clients/?show={show}").context["page"]] == names
    sheet = b"".join(desk.get("/clients/?format=csv").streaming_content).decode()
    assert "USD 70.00 (overdue 70.00)" in sheet


def test_an_empty_book_shows_both_ways_to_a_first_client_and_a_first_invoice(desk):
    for page, kind, way in (("/clients/", "clients", "client_new"), ("/invoices/", "open_items", "invoice_new")):
        shown = text(desk.get(page))
        for link in (url(way), f"{url('imports')}?kind={kind}", url("import_sample", kind)):
            assert f'href="{link}"' in shown


def test_a_new_invoice_from_the_file_is_for_that_client(desk, late_client):
    make_client(late_client.company, "1", name="Somebody else")
    shown = text(desk.get(url("client", late_client.pk)))
    assert shown.count(f"{url('invoice_new')}?client={late_client.pk}\"") == 2
    assert f"?client={late_client.number}" not in shown


def test_the_key_e_sends_an_invoice_and_changes_nothing(desk, late_client):
    invoice = make_invoice(late_client)
    for page in (url("client", late_client.pk), url("invoice", invoice.pk)):
        keyed = [part for part in text(desk.get(page)).split("<a ") if 'data-key="e"' in part.split(">")[0]]
        assert keyed and all(url("invoice_send", invoice.pk) in part for part in keyed)
