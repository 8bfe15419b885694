"""Which policy holds is chosen for a client, its segment or one invoice, and said with its reason there."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from audit.models import Event
from clients.services import save_client
from core.errors import Refused
from invoices.services.policy_choice import choose_policy
from policies.models import Policy, Segment
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice

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
    assert "Today “Gentle” holds: chosen for its segment “Public bodies”." in text(desk.get(edit))


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
    assert "Today “Standard” holds: chosen for this client." in text(desk.get(url))
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


def test_a_draft_may_have_one_too_and_an_unknown_policy_is_refused(desk, company, gentle):
    draft = make_draft(make_client(company))
    url = reverse("dashboard:invoice_policy", args=[draft.pk])
    assert desk.post(url, {"policy_name": "ghost"}).status_code == 422
    with pytest.raises(Refused, match="“ghost” has no version in force"):
        choose_policy(draft, "ghost", on=TODAY, by=CLERK)
    assert choose_policy(draft, "gentle", on=TODAY, by=CLERK).policy_name == "gentle"
