"""Clients and contacts are saved with a version; a number is taken once in a company; a new address is tried again."""

from decimal import Decimal

import pytest
from django.utils import timezone

from audit.models import Event
from clients.models import Client, CreditLimit
from clients.services import retire_contact, save_client, save_contact
from clients.services.limits import limit_of, set_limit
from clients.services.status import set_status
from core.errors import Refused
from tests.cast import CLERK, TODAY, make_client, make_company, make_manager

pytestmark = pytest.mark.django_db

FACTS = {"number": "0007", "name": "Kestrel Analytics", "currency": "EUR", "language": "en"}


def test_a_new_client_gets_the_default_terms_and_keeps_its_number_as_text(company):
    client = save_client(None, {**FACTS, "company": company}, by=CLERK)
    assert (client.number, client.terms.net_days) == ("0007", 30)
    assert Event.objects.get(action="client_added").client_id == client.pk


def test_a_number_is_taken_once_in_a_company(company):
    save_client(None, {**FACTS, "company": company}, by=CLERK)
    with pytest.raises(Refused, match="already exists"):
        save_client(None, {**FACTS, "company": company}, by=CLERK)
    assert Client.objects.count() == 1


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(late_client):
    save_client(late_client, {"city": "Bremen"}, version=1, by="Bob")
    with pytest.raises(Refused, match="Somebody else changed this client"):
        save_client(late_client, {"city": "Kiel"}, version=1, by=CLERK)
    assert Client.objects.get(pk=late_client.pk).city == "Bremen"


def test_an_unknown_time_zone_is_refused_by_name_of_the_field(late_client):
    with pytest.raises(Refused, match="is not a time zone") as refused:
        save_client(late_client, {"time_zone": "Europe/Atlantis"}, by=CLERK)
    assert refused.value.where == "time_zone"


def test_the_audit_names_personal_fields_and_masks_their_values(late_client):
    contact = late_client.contacts.get()
    save_contact(late_client, contact, {"email": "new@client.example", "role": "approver"}, by=CLERK)
    diff = Event.objects.get(action="contact_changed").diff
    assert diff == {"email": "…", "role": "approver"}


def test_a_new_address_is_tried_again_after_a_bounce(late_client):
    contact = late_client.contacts.get()
    contact.bounced_at = timezone.now()
    contact.save()
    assert late_client in Client.objects.without_contact()
    save_contact(late_client, contact, {"email": "better@client.example"}, by=CLERK)
    assert late_client not in Client.objects.without_contact()


def test_clients_nobody_can_write_to_are_a_list(company):
    silent = make_client(company, "C-0002", email=None)
    reachable = make_client(company, "C-0003")
    assert list(Client.objects.without_contact()) == [silent]
    retire_contact(reachable.contacts.get(), by=CLERK)
    assert set(Client.objects.without_contact()) == {silent, reachable}


@pytest.mark.parametrize(
    ("number", "country", "rule"),
    [
        ("DE136695977", "DE", "VAT number (Germany): its check digit does not match"),
        ("ATU13585628", "DE", "VAT number (Austria): its check digit does not match"),
        ("GB980780685", "GB", "VAT number (United Kingdom): its check digit does not match"),
        ("CHE107787578MWST", "CH", "VAT number (Switzerland): its check digit does not match"),
        ("DE13669597", "DE", "its length is wrong. Such a number is DE and 9 digits"),
        ("12-34", "US", "tax number (United States): it is not written as such a number is"),
    ],
)
def test_a_vat_number_that_cannot_exist_is_refused_by_the_rule_it_breaks(company, number, country, rule):
    with pytest.raises(Refused) as refused:
        save_client(None, {**FACTS, "company": company, "country": country, "tax_number": number}, by=CLERK)
    assert rule in str(refused.value) and number in str(refused.value)
    assert refused.value.where == "tax_number"
    assert Client.objects.count() == 0 and CreditLimit.objects.count() == 0


@pytest.mark.parametrize(
    ("number", "country"),
    [("DE 136 695 976", "DE"), ("29/815/08156", "DE"), ("EIN 04-2103594", "US"), ("ATU13585627", "DE"), ("7-x", "JP")],
)
def test_a_number_that_can_exist_or_of_which_no_rule_is_known_is_kept_as_written(company, number, country):
    client = save_client(None, {**FACTS, "company": company, "country": country, "tax_number": number}, by=CLERK)
    assert client.tax_number == number


def test_a_number_from_before_is_checked_when_it_changes_and_only_then(company):
    client = make_client(company, tax_number="DE1")
    save_client(client, {"city": "Kiel", "tax_number": "DE1"}, by=CLERK)
    client.tax_number = "DE2"  # as a form leaves it
    with pytest.raises(Refused, match="its length is wrong"):
        save_client(client, {"tax_number": "DE2"}, by=CLERK)
    assert Client.objects.get().tax_number == "DE1"


def test_a_new_client_begins_with_the_conservative_limit_of_the_policy(company):
    client = save_client(None, {**FACTS, "company": company}, by=CLERK, on=TODAY)
    limit = limit_of(client, "EUR", TODAY)
    assert (limit.amount, limit.source, limit.effective_on) == (Decimal(5000), "policy", TODAY)
    assert "starting limit" in limit.because
    save_client(client, {"city": "Kiel"}, by=CLERK, on=TODAY)
    assert CreditLimit.objects.count() == 1


def test_without_a_sum_for_its_currency_nothing_is_sold_on_credit(company):
    client = save_client(None, {**FACTS, "company": company, "currency": "NOK"}, by=CLERK, on=TODAY)
    limit = limit_of(client, "NOK", TODAY)
    assert (limit.amount, limit.source) == (0, "policy")
    assert limit.because == "the policy names no starting limit in NOK"
    company.currency = "NOK"
    own = save_client(None, {**FACTS, "company": company, "currency": "NOK", "number": "C-77"}, by=CLERK, on=TODAY)
    assert limit_of(own, "NOK", TODAY) is None, "in its own currency somebody first says what is conservative"


NUMBER = "DE 136 695 976"


@pytest.fixture
def barred(company):
    other = make_client(company, "C-0009", name="Vantage", tax_number="de136695976", country="DE")
    set_status(other, "cash_only", because="61 days overdue", source="policy", on=TODAY, by="system")
    return other


def enter(company, *, by, number="0007", **fields):
    facts = {**FACTS, "company": company, "number": number, "country": "DE", "tax_number": NUMBER}
    return save_client(None, facts | fields, by=by, on=TODAY)


@pytest.mark.parametrize("status", ["cash_only", "closed"])
@pytest.mark.parametrize("written", [NUMBER, "136695976", "VAT no. DE136695976"])
def test_who_gets_no_credit_does_not_get_it_under_another_number(company, barred, clerk, status, written):
    set_status(barred, status, because="61 days overdue", source="policy", on=TODAY, by="system")
    for who in (clerk, CLERK, "system"):
        with pytest.raises(Refused, match=r"Vantage \(C-0009\) has the same VAT or tax number and is") as refused:
            enter(company, by=who, tax_number=written)
        assert (refused.value.code, refused.value.where) == ("same_tax_number", "tax_number")
    assert Client.objects.count() == 1 and CreditLimit.objects.count() == 0
    with pytest.raises(Refused, match="ask somebody who may set credit statuses"):
        save_client(None, {**FACTS, "company": company, "country": "DE", "tax_number": written}, by=clerk)
    assert enter(company, by=make_manager(), tax_number=written).tax_number == written


def test_only_the_number_of_somebody_without_credit_today_in_the_same_company_is_refused(company, barred):
    enter(make_company("other"), by=CLERK)
    enter(company, by=CLERK, tax_number="")
    enter(company, by=CLERK, number="0008", tax_number="DE129273398")
    set_status(barred, "stricter", because="half is cleared", source="policy", on=TODAY, by="system")
    enter(company, by=CLERK, number="0010")


def test_a_number_changed_to_that_of_somebody_without_credit_is_refused_and_one_that_stays_is_not(company, barred):
    client = enter(company, by=CLERK, tax_number="")
    client.tax_number = NUMBER  # as a form leaves it
    with pytest.raises(Refused, match="the same VAT or tax number and is cash-only since"):
        save_client(client, {"tax_number": NUMBER}, by=CLERK, on=TODAY)
    assert Client.objects.get(pk=client.pk).tax_number == ""
    save_client(client, {"tax_number": NUMBER}, by=make_manager(), on=TODAY)
    save_client(client, {"tax_number": "DE136695976", "city": "Kiel"}, by=CLERK, on=TODAY)
    save_client(barred, {"tax_number": NUMBER}, by=CLERK, on=TODAY)


def test_a_limit_below_zero_is_refused_and_nothing_is_saved(late_client):
    with pytest.raises(Refused, match="zero or more") as refused:
        set_limit(late_client, Decimal(-1), "EUR", because="a slip", source="hand", on=TODAY, by=make_manager())
    assert refused.value.where == "amount"
    assert CreditLimit.objects.count() == 0
