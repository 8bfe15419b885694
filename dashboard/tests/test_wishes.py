"""How a client wants to be invoiced and may pay, at the desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clients.models import Client, ClientWay, Wishes
from clients.services.ways import save_ways
from core.errors import Refused
from core.models import PaymentMethod
from invoices.paying import offered
from tests.cast import CLERK, make_company, make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    client.force_login(clerk)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_wishes_told_on_the_telephone_are_kept_and_stand_on_the_next_draft(desk, good_client):
    assert "Nobody was asked yet" in text(desk.get(url("client_about", good_client.pk)))
    told = {
        "po_required": "on", "extra_fields": "Cost centre: 4711\r\n\r\nBuyer:", "cover_page": "on",
        "cover_text": "For the attention of building 4", "note": "Invoices by the 25th",
    }  # fmt: skip
    page = text(desk.post(url("wishes_edit", good_client.pk), told, follow=True))
    wishes = Wishes.objects.get()
    assert wishes.extra_fields == [{"label": "Cost centre", "value": "4711"}, {"label": "Buyer", "value": ""}]
    assert Client.objects.get(pk=good_client.pk).po_required and wishes.cover_page
    assert "4711" in page and "asked for at each invoice" in page and "Invoices by the 25th" in page
    assert make_draft(good_client).extra_fields == [{"label": "Cost centre", "value": "4711"}]
    form = desk.get(url("wishes_edit", good_client.pk)).context["form"]
    assert form["extra_fields"].value() == "Cost centre: 4711\nBuyer:" and form["version"].value() == wishes.version


def test_a_form_of_theirs_is_kept_shown_and_given_up(desk, good_client):
    file = SimpleUploadedFile("Form 7.pdf", b"%PDF-1.7\n%%EOF", "application/pdf")
    desk.post(url("wishes_edit", good_client.pk), {"extra_fields": "", "own_form": file})
    assert "Form 7.pdf" in text(desk.get(url("client_about", good_client.pk)))
    assert desk.get(url("own_form", good_client.pk)).content.startswith(b"%PDF")
    desk.post(url("wishes_edit", good_client.pk), {"extra_fields": "", "without_form": "on"})
    assert Wishes.objects.get().own_form is None
    assert desk.get(url("own_form", good_client.pk)).status_code == 302


def test_what_cannot_be_printed_and_what_somebody_else_changed_are_refused(desk, good_client):
    page = url("wishes_edit", good_client.pk)
    refused = desk.post(page, {"extra_fields": ": 4711"})
    assert refused.status_code == 422 and "has no name" in text(refused)
    desk.post(page, {"extra_fields": "A: 1"})
    desk.post(page, {"extra_fields": "A: 2", "version": 1})
    clash = desk.post(page, {"extra_fields": "A: 3", "version": 1})
    assert clash.status_code == 422 and "Somebody else changed" in text(clash)
    assert Wishes.objects.get().extra_fields == [{"label": "A", "value": "2"}]


def kinds(client: Client) -> list[str]:
    return [method.kind for method in offered(client.company, client, "EUR", Decimal(10))]


def test_a_client_is_offered_other_ways_than_everybody(desk, company, good_client, late_client):
    cheque = PaymentMethod.objects.get(company=company, kind="cheque")
    page = url("ways_edit", good_client.pk)
    assert "as everybody: offered" in text(desk.get(page))
    assert "not offered" in text(desk.post(page, {f"way-{cheque.pk}": "no"}, follow=True))
    assert "cheque" not in kinds(good_client) and "cheque" in kinds(late_client)
    desk.post(page, {f"way-{cheque.pk}": ""})
    assert not ClientWay.objects.exists()


def test_a_client_who_could_not_pay_at_all_is_refused(desk, company, good_client):
    methods = PaymentMethod.objects.filter(company=company)
    refused = desk.post(url("ways_edit", good_client.pk), {f"way-{method.pk}": "no" for method in methods})
    assert refused.status_code == 422 and "at least one way" in text(refused)
    assert not ClientWay.objects.exists()
    foreign = PaymentMethod.objects.filter(company=make_company("zz")).first()
    with pytest.raises(Refused, match="not one of the company"):
        save_ways(good_client, {foreign.pk: True}, by=CLERK)


def test_paper_and_design_of_a_client_are_chosen_with_its_master_data(desk, good_client):
    form = desk.get(url("client_edit", good_client.pk)).context["form"]
    assert "as the company&#x27;s: A4" in str(form["paper"])
    data = {name: form[name].value() or "" for name in form.fields if name not in ("po_required",)}
    desk.post(url("client_edit", good_client.pk), data | {"paper": "Letter", "design": "plain"})
    good_client.refresh_from_db()
    assert (good_client.paper, good_client.design) == ("Letter", "plain")
    assert "Letter · plain" in text(desk.get(url("client_about", good_client.pk)))


def test_a_draft_nobody_could_pay_says_so_and_leads_to_the_ways_to_pay(desk, company, good_client):
    company.payment_methods.filter(kind="cash").update(largest=Decimal(500), currency="EUR")
    ways = {way.pk: way.kind == "cash" for way in company.payment_methods.all()}
    save_ways(good_client, ways, by=CLERK)
    draft = make_draft(good_client, "1000")
    page = text(desk.get(url("invoice", draft.pk)))
    assert "takes 1000.00 EUR; choose another one" in page and f'href="{url("ways_edit", good_client.pk)}"' in page
    save_ways(good_client, dict.fromkeys(ways), by=CLERK)
    assert "takes 1000.00 EUR" not in text(desk.get(url("invoice", draft.pk)))
