"""Case 27: one more address for the next message only (myucto#60), and never an outsider by accident (OCA #548).

The clerk sees who is on file before the address is kept; somebody who is not is refused until the clerk says so. The
copy goes with the next reminder, once: the one after it goes without. A mail that failed does not use it up.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from ar_collections.models import CopyOnce
from ar_collections.services.copies import copies_waiting, copy_next, withdraw_copy
from clients.models import Contact
from core.errors import Refused
from policies.models import Step
from policies.services import new_version, policy_of
from tests.cast import CLERK, invoice_due, make_manager
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday


def ago(days: int) -> dt.date:
    return ON - dt.timedelta(days=days)


@pytest.fixture
def boss(late_client) -> Contact:
    return Contact.objects.create(client=late_client, name="Noor", email="Noor@client.example", role="escalation")


def test_the_copy_goes_with_the_next_reminder_and_with_no_other(late_client, boss):
    invoice_due(late_client, ago(1))
    copy = copy_next(late_client, "noor@client.example", by=CLERK)
    a_day(late_client.company, ON)
    a_day(late_client.company, ON + dt.timedelta(days=7))
    first, second = sent_to(late_client)
    assert (first.cc_addr, second.cc_addr) == ("noor@client.example", "")
    copy.refresh_from_db()
    assert copy.message == first


def test_an_outsider_is_refused_until_somebody_says_that_they_know_who_reads_it(late_client):
    with pytest.raises(Refused) as said:
        copy_next(late_client, "adviser@tax.example", by=CLERK)
    assert said.value.where == "knows_outsider" and "none of the people on file" in said.value.message
    assert not CopyOnce.objects.exists()
    copy_next(late_client, "adviser@tax.example", knows_outsider=True, by=CLERK)
    invoice_due(late_client, ago(1))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert message.cc_addr == "adviser@tax.example"
    assert "A colleague of yours" not in message.text


@pytest.mark.parametrize("address", ["", "nobody", "a@b.test, c@d.test", "a@b.test\nBcc: c@d.test"])
def test_what_is_not_one_address_is_refused(late_client, address):
    with pytest.raises(Refused):
        copy_next(late_client, address, knows_outsider=True, by=CLERK)


def test_twice_the_same_a_fourth_and_a_copy_that_was_sent_are_refused(late_client, boss):
    copy = copy_next(late_client, boss.email, by=CLERK)
    with pytest.raises(Refused, match="already"):
        copy_next(late_client, boss.email, by=CLERK)
    for n in (1, 2):
        copy_next(late_client, f"a{n}@tax.example", knows_outsider=True, by=CLERK)
    with pytest.raises(Refused, match="Three"):
        copy_next(late_client, "a3@tax.example", knows_outsider=True, by=CLERK)
    withdraw_copy(copy, at=timezone.now(), by=CLERK)
    with pytest.raises(Refused):
        withdraw_copy(copy, at=timezone.now(), by=CLERK)


def test_the_addressee_gets_no_copy_of_their_own_mail_and_nobody_gets_two(late_client, boss):
    """The step copies by role and to an address of its own; the clerk asks for both of them once more."""
    policy = policy_of(late_client.company, ON)
    steps = [
        {f.name: getattr(step, f.name) for f in Step._meta.concrete_fields if f.name not in ("id", "policy")}
        for step in policy.steps.all()
    ]
    for step in steps:
        if step["code"] == "first_overdue":
            step |= {"cc_role": "escalation", "recipients": "books@tax.example, AP@client.example"}
    new_version(policy, effective_from=ON, changes={}, steps=steps, on=ago(1), by=CLERK)
    copy_next(late_client, "noor@client.example", by=CLERK)
    invoice_due(late_client, ago(1))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert [copy.casefold() for copy in message.cc_addr.split(", ")] == ["noor@client.example", "books@tax.example"]


def test_a_copy_to_whoever_is_written_to_anyway_is_used_up_by_that_mail(late_client):
    """Asked for in other capitals; it is no second mail to the same person, and does not wait for ever."""
    copy = copy_next(late_client, "AP@client.example", by=CLERK)
    invoice_due(late_client, ago(1))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    copy.refresh_from_db()
    assert message.cc_addr == "" and copy.message == message and not copies_waiting(late_client).exists()


def test_the_clerk_sees_who_is_on_file_before_the_address_is_kept(late_client, boss):
    browser = Browser()
    browser.force_login(make_manager())
    page = reverse("dashboard:copy_new", args=[late_client.pk])
    assert "Noor &lt;Noor@client.example&gt;" in browser.get(page).content.decode()
    refused = browser.post(page, {"address": "eve@other.example"})
    assert refused.status_code == 422 and "none of the people on file" in refused.content.decode()
    assert not CopyOnce.objects.exists()
    browser.post(page, {"address": "eve@other.example", "knows_outsider": "on"})
    file = browser.get(reverse("dashboard:client_about", args=[late_client.pk])).content.decode()
    assert "eve@other.example" in file
    browser.post(reverse("dashboard:copy_withdraw", args=[CopyOnce.objects.get().pk]))
    assert not CopyOnce.objects.waiting().exists()
