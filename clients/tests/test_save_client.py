"""Clients and contacts are saved with a version; a number is taken once in a company; a new address is tried again."""

import pytest
from django.utils import timezone

from audit.models import Event
from clients.models import Client
from clients.services import retire_contact, save_client, save_contact
from core.errors import Refused
from tests.cast import CLERK, make_client

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
