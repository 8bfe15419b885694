"""Which policy holds is chosen for a client, its segment or one invoice, and said with its reason there."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from ar_collections.services.explaining import explain
from audit.models import Event
from clients.services import save_client
from core.dates import show_day
from core.errors import Refused
from core.services import today
from invoices.models import Invoice
from invoices.services.charging import charge_interest
from invoices.services.policy_choice import choose_policy
from policies.models import InterestRule, Policy, Segment
from reports.timeline import client_timeline
from tests.cast import CLERK, TODAY, invoice_due, make_client, make_company, make_draft, make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def gentle(company):
    return Policy.objects.create(name="gentle", title="Gentle", effective_from=dt.date(2026, 1, 1))


@pytest.fixture
def desk(client, clerk, company):
    client.force_login(clerk)
    return client


def text(answer) -> str:
    return answer.content.decode()


def form_of(page) -> dict:
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_a_client_gets_a_policy_of_its_own_and_its_file_says_so(desk, company, gentle):
    client = make_client(company)
    file, edit = reverse("dashboard:client_about", args=[client.pk]), reverse("dashboard:client_edit", args=[client.pk])
    assert "that of the company" in text(desk.get(file))
    page = desk.get(edit)
    assert "Today “Standard” holds: that of the company." in text(page)
    assert desk.post(edit, form_of(page) | {"policy_name": "gentle"}).status_code == 302
    client.refresh_from_db()
    assert client.policy_name == "gentle"
    said = text(desk.get(file))
    assert "Gentle" in said and "chosen for this client" in said
    event = Event.objects.get(action="client_changed", client_id=client.pk)
    assert event.diff["policy_name"] == "gentle"


def test_a_segment_gives_its_policy_to_its_clients(desk, company, gentle):
    client = make_client(company)
    segment = Segment.objects.create(company=company, name="Public bodies", policy_name="gentle")
    edit = reverse("dashboard:client_edit", args=[client.pk])
    desk.post(edit, form_of(desk.get(edit)) | {"segment": segment.pk})
    said = text(desk.get(reverse("dashboard:client_about", args=[client.pk])))
    assert "Gentle" in said and "chosen for its segment “Public bodies”" in said
    since = f"from {show_day(today(company), 'en', 'short')} on, by {CLERK}"
    assert f"Today “Gentle” holds: chosen for its segment “Public bodies” {since}." in text(desk.get(edit))


def test_a_policy_that_is_not_in_force_and_a_strange_segment_are_refused(company, gentle):
    client = make_client(company)
    Policy.objects.create(name="later", effective_from=TODAY + dt.timedelta(days=5))
    with pytest.raises(Refused, match="“later” has no version in force on 2026-11-18") as caught:
        save_client(client, {"policy_name": "later"}, by=CLERK, on=TODAY)
    assert caught.value.where == "policy_name"
    strange = Segment.objects.create(company=make_company("other"), name="Theirs")
    with pytest.raises(Refused, match="belongs to another company"):
        save_client(client, {"segment": strange}, by=CLERK, on=TODAY)
    client.refresh_from_db()
    assert (client.policy_name, client.segment) == ("", None)


def test_one_invoice_is_reminded_by_a_policy_of_its_own(desk, company, gentle):
    client = make_client(company)
    save_client(client, {"policy_name": "standard"}, by=CLERK, on=TODAY)
    client.refresh_from_db()
    invoice, other = make_invoice(client), make_invoice(client)
    url = reverse("dashboard:invoice_policy", args=[invoice.pk])
    assert f"Today “Standard” holds: chosen for this client from 18 Nov 2026 on, by {CLERK}." in text(desk.get(url))
    desk.post(url, {"policy_name": "gentle"})
    invoice.refresh_from_db()
    assert (invoice.policy_name, other.policy_name) == ("gentle", "")
    page = text(desk.get(reverse("dashboard:invoice", args=[invoice.pk])))
    assert "Gentle" in page and "chosen for this invoice" in page
    assert "chosen for this client" in text(desk.get(reverse("dashboard:invoice", args=[other.pk])))
    desk.post(url, {"policy_name": "gentle"})
    events = Event.objects.filter(action="invoice_policy_chosen", doc=invoice.number)
    assert [(event.summary, event.diff["before"]) for event in events] == [("gentle", "")], "once"
    assert desk.post(url, {"policy_name": ""}).status_code == 302
    invoice.refresh_from_db()
    assert invoice.policy_name == ""


def test_the_page_says_from_today_on_and_lists_what_was_chosen_earlier(desk, company, gentle):
    """Ended choices stand with their reason and last day, on the timeline too; what was undone at once does not."""
    invoice = make_invoice(make_client(company))
    for name, day in (("gentle", 2), ("", 9), ("gentle", 12), ("", 12)):
        choose_policy(invoice, name, on=TODAY + dt.timedelta(days=day), by=CLERK)
    page = desk.get(reverse("dashboard:invoice_policy", args=[invoice.pk]))
    assert "What is chosen here holds from today on" in text(page)
    assert [(held.title, held.because, held.until_on) for held in page.context["policy"].earlier] == [
        ("Gentle", f"chosen for this invoice from 20 Nov 2026 on, by {CLERK}", dt.date(2026, 11, 26)),
        ("Standard", "that of the company", dt.date(2026, 11, 19)),
    ]  # fmt: skip
    assert "26 Nov 2026" in text(page) and "Earlier choices" in text(page)
    shown = text(desk.get(reverse("dashboard:invoice", args=[invoice.pk])))
    assert f"until 26 Nov 2026 “Gentle”: chosen for this invoice from 20 Nov 2026 on, by {CLERK}" in shown
    told = [(one.on, one.text, one.note) for one in client_timeline(invoice.client) if "olicy" in one.text]
    assert told[-2:] == [
        (dt.date(2026, 11, 27),
         f"{invoice} has the policy of its client again from this day on, no longer “gentle”", CLERK),
        (dt.date(2026, 11, 20), f"Policy of {invoice} from this day on: “gentle”", CLERK),
    ]  # fmt: skip


def test_why_names_the_choice_and_its_day(desk, company, gentle):
    """A step of the policy chosen; where nothing was chosen anew, nothing is said of it."""
    client = make_client(company)
    chosen, usual = (invoice_due(client, TODAY - dt.timedelta(days=9)) for _ in range(2))
    choose_policy(chosen, "standard", on=TODAY, by=CLERK)
    told = {step["invoice"]: step["guards"][0]["because"] for step in explain(client, TODAY)["steps"]}
    because = "“standard” was chosen for this invoice from 2026-11-18 on"
    assert told == {
        str(chosen): f"1000.00 EUR is open and undisputed; {because}", str(usual): "1000.00 EUR is open and undisputed"
    }
    page = text(desk.get(reverse("dashboard:client_why", args=[client.pk]) + "?on=2026-11-18"))
    assert page.count(because) == 1


def test_what_was_never_chosen_anew_has_no_list(desk, company):
    page = desk.get(reverse("dashboard:invoice_policy", args=[make_invoice(make_client(company)).pk]))
    assert "Today “Standard” holds: that of the company." in text(page) and "Earlier choices" not in text(page)


def test_the_page_of_a_charge_names_the_choice_and_its_day(desk, company):
    InterestRule.objects.create(code="NINE", effective_from=dt.date(2025, 1, 1), title="Nine", percent=9, source="ours")
    Policy.objects.create(name="nine", effective_from=dt.date(2026, 1, 1), interest="NINE")
    invoice = invoice_due(make_client(company), TODAY - dt.timedelta(days=20))
    choose_policy(invoice, "nine", on=TODAY - dt.timedelta(days=10), by=CLERK)
    charge_interest(Invoice.objects.get(pk=invoice.pk), until=TODAY, on=TODAY, by=CLERK)
    shown = text(desk.get(reverse("dashboard:invoice", args=[invoice.pk])))
    assert "nine from 2026-01-01, chosen for this invoice on 2026-11-08" in shown
    Policy.objects.create(name="free", effective_from=dt.date(2026, 1, 1), interest="NONE")
    choose_policy(invoice, "free", on=TODAY + dt.timedelta(days=1), by=CLERK)
    shown = text(desk.get(reverse("dashboard:invoice", args=[invoice.pk])))
    assert "earned since 8 Nov 2026; by the policy that holds now it bears none" in shown


def test_a_draft_may_have_one_too_and_an_unknown_policy_is_refused(desk, company, gentle):
    draft = make_draft(make_client(company))
    url = reverse("dashboard:invoice_policy", args=[draft.pk])
    assert desk.post(url, {"policy_name": "ghost"}).status_code == 422
    with pytest.raises(Refused, match="“ghost” has no version in force"):
        choose_policy(draft, "ghost", on=TODAY, by=CLERK)
    assert choose_policy(draft, "gentle", on=TODAY, by=CLERK).policy_name == "gentle"
