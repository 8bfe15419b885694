"""A client's file and timeline at the desk: documents, profiles, dates, people, terms, rules, and all that happened."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from clients.models import Acceptance, Contact, Document, KeyDate, Profile
from clients.services.filing import add_document, save_key_date
from clients.services.limits import set_limit
from dashboard.reports.clients import at_their_desk
from dashboard.reports.file import next_time
from outbox.models import Message
from policies.credit_terms import new_terms_version, shipped_terms
from tests.cast import CLERK, TODAY, make_client, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def terms(company: Any) -> Any:
    return new_terms_version(company, shipped_terms(), effective_from=TODAY, on=TODAY, by=CLERK)


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def a_file(name: str, content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def test_a_document_is_kept_handed_out_to_save_and_taken_off_with_a_way_back(desk, late_client):
    page = url("document_new", late_client.pk)
    desk.post(page, {"kind": "contract", "file": a_file("order.pdf", b"%PDF-1.7 order")})
    kept = Document.objects.get()
    answer = desk.get(url("document", kept.pk))
    assert answer.content == b"%PDF-1.7 order"
    assert answer["Content-Disposition"] == 'attachment; filename="order.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
    gone = desk.post(url("document_remove", kept.pk), follow=True)
    assert "order.pdf is off the file" in text(gone) and url("document_restore", kept.pk) in text(gone)
    assert not gone.context["about"].documents
    desk.post(url("document_restore", kept.pk))
    assert [d.name for d in desk.get(url("client_about", late_client.pk)).context["about"].documents] == ["order.pdf"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tool.exe", b"MZ", "of a type that is not kept"),
        ("order.pdf", b"<html>", "no PDF inside"),
        ("large.txt", b"a" * (10 * 2**20 + 1), "more than 10 MB"),
    ],
)
def test_a_wrong_or_too_large_document_is_refused_with_what_to_do(desk, late_client, name, content, said):
    refused = desk.post(url("document_new", late_client.pk), {"kind": "other", "file": a_file(name, content)})
    assert refused.status_code == 422 and said in text(refused)
    assert not Document.objects.exists()


def test_a_profile_says_when_somebody_last_looked_and_what_was_new(desk, late_client):
    refused = desk.post(url("profile_new", late_client.pk), {"kind": "website", "url": "not an address"})
    assert refused.status_code == 422 and "is not a web address" in text(refused)
    desk.post(url("profile_new", late_client.pk), {"kind": "website", "url": "harbourlane.example"})
    profile = Profile.objects.get()
    page = text(desk.get(url("client_about", late_client.pk)))
    assert "nobody has looked yet" in page and "look again" in page
    desk.post(url("profile_look", profile.pk), {"news": "A third shop"})
    page = text(desk.get(url("client_about", late_client.pk)))
    assert "A third shop" in page and "looked on 18 Nov 2026, Ada Kowalska" in page and "look again" not in page
    desk.post(url("profile_remove", profile.pk))
    assert not Profile.objects.exists()


def test_a_date_to_remember_is_kept_with_the_next_time_it_comes_round(desk, late_client):
    page = url("key_date_new", late_client.pk)
    refused = desk.post(page, {"kind": "founded", "day": "31", "month": "2"})
    assert refused.status_code == 422 and "no such day" in text(refused)
    desk.post(page, {"kind": "founded", "day": "3", "month": "5", "year": "2014"})
    found = KeyDate.objects.get()
    assert "Monday 3 May 2027" in text(desk.get(url("client_about", late_client.pk)))
    desk.post(url("key_date_edit", found.pk), {"kind": "founded", "day": "4", "month": "5"})
    found.refresh_from_db()
    assert (found.day, found.year) == (4, None)
    desk.post(url("key_date_remove", found.pk))
    assert not KeyDate.objects.exists()


def test_a_leap_day_comes_round_every_year():
    leap = KeyDate(month=2, day=29)
    assert next_time(leap, dt.date(2027, 1, 1)) == dt.date(2027, 2, 28)
    assert next_time(leap, dt.date(2027, 3, 1)) == dt.date(2028, 2, 29)


def test_preferred_hours_are_told_by_the_clock_of_the_person(desk, company):
    there = make_client(company, "C-SF", time_zone="America/Los_Angeles")
    person = there.contacts.get()
    facts = {"name": "Mara", "role": "owner", "email": "m@client.example", "version": person.version}
    facts |= {"call_from": "09:00", "call_until": "11:30", "greetings_since": "2026-11-01", "phone": "+1 415 555 0100"}
    assert desk.post(url("contact_edit", person.pk), facts).status_code == 302
    page = text(desk.get(url("client_about", there.pk)))
    assert "04:00 there" in page and "prefers calls 09:00–11:30" in page and "not now" in page
    assert "agreed to greetings on 1 Nov 2026" in page
    person.refresh_from_db()
    assert at_their_desk(person, there, NOON + dt.timedelta(hours=6)).call_now is True
    late = Contact(client=there, call_from=dt.time(22), call_until=dt.time(6), time_zone="UTC")
    assert [at_their_desk(late, there, NOON.replace(hour=h)).call_now for h in (5, 12, 23)] == [True, False, True]


def test_the_terms_are_sent_by_link_or_signed_on_paper(desk, late_client, terms):
    assert "not accepted" in text(desk.get(url("client_about", late_client.pk)))
    sent = desk.post(url("terms_send", late_client.pk), follow=True)
    message = Message.objects.get(kind="credit_terms")
    assert "leave for" in text(sent) and url("outbox_undo", message.pk) in text(sent)
    page = url("terms_paper", late_client.pk)
    refused = desk.post(page, {"accepted_by": "Mara Winter", "accepted_on": "2026-12-01"})
    assert refused.status_code == 422 and "a day to come" in text(refused)
    desk.post(page, {"accepted_by": "Mara Winter", "accepted_on": "2026-11-12"})
    assert Acceptance.objects.get().way == "paper"
    shown = text(desk.get(url("client_about", late_client.pk)))
    assert "Mara Winter" in shown and "kept by Ada Kowalska" in shown and "not accepted" not in shown
    again = desk.post(url("terms_send", late_client.pk), follow=True)
    assert "has accepted these terms already" in text(again)


def test_without_published_terms_nothing_is_asked_for(desk, late_client):
    assert "No credit terms are published yet" in text(desk.get(url("client_about", late_client.pk)))
    assert "publish them in the settings" in text(desk.get(url("terms_paper", late_client.pk), follow=True))


def test_rules_here_are_those_of_the_place_with_their_sources(desk, company):
    here = text(desk.get(url("client_about", make_client(company, "C-1", country="DE").pk)))
    assert "BGB § 288(2), § 247" in here and "https://www.gesetze-im-internet.de/bgb/__288.html" in here
    oregon = make_client(company, "C-2", country="US", region="OR")
    assert "Up to USD 10,000" in text(desk.get(url("client_about", oregon.pk)))
    nowhere = make_client(company, "C-3", country="")
    assert "Rules where the client is" not in text(desk.get(url("client_about", nowhere.pk)))


def test_notes_are_changed_where_they_are_read(desk, late_client):
    page = url("notes_edit", late_client.pk)
    desk.post(page, {"notes": "Calls only in the morning.", "version": late_client.version})
    assert "Calls only in the morning." in text(desk.get(url("client", late_client.pk)))
    refused = desk.post(page, {"notes": "Other", "version": late_client.version})
    assert refused.status_code == 422 and "Somebody else changed this client" in text(refused)


def test_the_file_asks_the_database_a_fixed_number_of_times(desk, late_client, terms, django_assert_max_num_queries):
    for n in range(12):
        save_key_date(late_client, None, {"kind": "founded", "day": n + 1, "month": 3}, on=TODAY, by=CLERK)
        add_document(late_client, f"{n}.txt", b"text %d" % n, by=CLERK)
        Contact.objects.create(client=late_client, name=f"Person {n}", email=f"p{n}@client.example")
    with django_assert_max_num_queries(40):
        assert desk.get(url("client_about", late_client.pk)).status_code == 200


def test_the_timeline_is_narrowed_by_kind_and_day_and_handed_out_whole(desk, late_client):
    make_invoice(late_client, "500", on=TODAY - dt.timedelta(days=9))
    pay(late_client, "200", on=TODAY - dt.timedelta(days=3))
    set_limit(late_client, Decimal(900), "EUR", because="=1+1", source="hand", on=TODAY, by=make_manager())
    page = url("client_timeline", late_client.pk)
    everything = desk.get(page)
    assert [entry["kind"] for entry in everything.context["timeline"]][:3] == ["limit", "payment", "invoice"]
    money = desk.get(f"{page}?kind=money&from=2026-11-14")
    assert [entry["kind"] for entry in money.context["timeline"]] == ["payment"]
    assert "Nothing of that kind" in text(desk.get(f"{page}?kind=mail"))
    assert desk.get(f"{page}?kind=nonsense&from=2026-99-99&until=x").status_code == 200
    lines = b"".join(desk.get(f"{page}?format=csv&kind=credit").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "on,at,kind,what,words,note"
    assert len(lines) == 2 and lines[1].startswith("2026-11-18,") and "'=1+1" in lines[1]


def test_what_was_filed_and_changed_stands_in_the_timeline(desk, late_client):
    desk.post(url("document_new", late_client.pk), {"kind": "other", "file": a_file("order.txt", b"order")})
    desk.post(url("notes_edit", late_client.pk), {"notes": "New", "version": late_client.version})
    timeline = desk.get(url("client_timeline", late_client.pk) + "?kind=file").context["timeline"]
    assert {entry["text"] for entry in timeline} == {"Document filed: order.txt", "Changed: Notes"}


def test_further_addresses_are_noted_changed_and_removed(desk, late_client):
    assert "post, deliveries and visits go to the address above" in text(desk.get(url("client_about", late_client.pk)))
    page = url("address_new", late_client.pk)
    facts = {"kind": "post", "street": "PO Box 12", "postal_code": "97201", "city": "Portland", "country": "US"}
    refused = desk.post(page, facts | {"city": ""})
    assert refused.status_code == 422 and not late_client.addresses.exists()
    desk.post(page, facts)
    assert "PO Box 12, 97201 Portland, US" in text(desk.get(url("client_about", late_client.pk)))
    second = desk.post(page, facts)
    assert second.status_code == 422 and "an address for post already" in text(second)
    post = late_client.addresses.get()
    desk.post(url("address_edit", post.pk), facts | {"street": "PO Box 13"})
    assert late_client.addresses.get().street == "PO Box 13"
    desk.post(url("address_remove", post.pk))
    assert not late_client.addresses.exists()
