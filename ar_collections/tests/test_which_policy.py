"""Which policy holds: the invoice's before the client's, the segment's, the company's; several in one run."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ar_collections.models import Served
from ar_collections.services.choosing import in_use, policy_for_client, policy_for_invoice
from ar_collections.services.coming import coming
from ar_collections.services.explaining import explained
from ar_collections.services.planning import plan
from clients.services import save_client
from core.errors import Refused
from invoices.models import Invoice
from invoices.services.policy_choice import choose_policy
from outbox.models import Message
from policies.models import Segment
from policies.precedence import policy_that_holds
from policies.services import policy_of, use_policy
from policies.services.new_policies import new_policy
from policies.services.precedence import governed, own_name_of_invoice
from tests.cast import TODAY, invoice_due, make_client, make_invoice
from tests.collecting import a_day, a_step, policy_named, sent_to

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def ago(days: int) -> dt.date:
    return TODAY - days * DAY


def chosen_for(thing: Any, name: str) -> None:
    type(thing).objects.filter(pk=thing.pk).update(policy_name=name)
    thing.refresh_from_db()


def test_the_column_of_the_query_says_what_the_rule_says(company):
    """All sixteen ways to choose."""
    wanted = {}
    for n, (invoice_s, client_s, segment_s) in enumerate(
        itertools.product(["", "final"], ["", "gentle"], [None, "", "public"])
    ):
        segment = segment_s if segment_s is None else Segment.objects.create(
            company=company, name=f"S{n}", policy_name=segment_s
        )
        client = make_client(company, f"P-{n}", segment=segment, policy_name=client_s)
        invoice = make_invoice(client)
        chosen_for(invoice, invoice_s)
        wanted[invoice.pk] = policy_that_holds(
            invoice=invoice_s, client=client_s, segment=segment_s or "", company=""
        ).name
    assert dict(Invoice.objects.annotate(own=own_name_of_invoice()).values_list("pk", "own")) == wanted
    assert set(wanted.values()) == {"", "final", "gentle", "public"}
    for name in ("final", "gentle", "public", "standard"):  # and the condition of a query
        theirs = Invoice.objects.filter(governed(name, [company.pk] if name == "standard" else []))
        assert set(theirs.values_list("pk", flat=True)) == {pk for pk in wanted if (wanted[pk] or "standard") == name}


def test_a_policy_made_from_another_is_chosen_nearer_and_nearer(company, late_client):
    """Made at the desk today, it holds for the segment, then for the client, then for the one invoice."""
    old = policy_of(company, TODAY)
    for name in ("of-segment", "of-client", "of-invoice", "of-company"):
        new_policy(old, name=name, effective_from=TODAY, changes={}, steps=None, on=TODAY, by="test")
    invoice = make_invoice(late_client)
    other = make_invoice(late_client)
    use_policy(company, "of-company", "test")
    assert policy_for_invoice(invoice, TODAY).name == "of-company"
    segment = Segment.objects.create(company=company, name="public bodies", policy_name="of-segment")
    save_client(late_client, {"segment": segment}, by="test", on=TODAY)
    invoice.refresh_from_db()
    assert policy_for_invoice(invoice, TODAY).name == "of-segment"
    save_client(late_client, {"policy_name": "of-client"}, by="test", on=TODAY)
    invoice.refresh_from_db()
    assert policy_for_invoice(invoice, TODAY).name == "of-client"
    invoice = choose_policy(invoice, "of-invoice", on=TODAY, by="test")
    assert policy_for_invoice(invoice, TODAY).name == "of-invoice"
    other.refresh_from_db()
    assert policy_for_invoice(other, TODAY).name == "of-client"


def test_every_client_climbs_its_own_ladder_in_one_run(company, late_client, good_client):
    policy_named("gentle", steps=[a_step("hello", 3)])
    policy_named("public", steps=[a_step("notice_to_the_council", 5)])
    council = make_client(company, "C-0100", segment=Segment.objects.create(
        company=company, name="public bodies", policy_name="public"
    ))
    chosen_for(good_client, "gentle")
    for client in (late_client, good_client, council):
        invoice_due(client, ago(8))
    done = plan(company, TODAY, by="system")
    assert len(done.planned) == 3
    assert dict(Served.objects.filter(outcome="served").values_list("invoice__client", "step")) == {
        late_client.pk: "reminder_1", good_client.pk: "hello", council.pk: "notice_to_the_council",
    }
    assert plan(company, TODAY, by="system").planned == []


def test_one_message_covers_items_of_several_policies(company, late_client):
    policy_named("large", steps=[a_step("large_sum", 2, tone="firm", title="About a large sum")])
    ordinary, large = invoice_due(late_client, ago(8)), invoice_due(late_client, ago(9), "90000")
    chosen_for(large, "large")
    a_day(company, TODAY)
    (message,) = sent_to(late_client)
    assert sorted(message.payload["items"]) == [[ordinary.pk, "reminder_1", 1], [large.pk, "large_sum", 1]]
    assert message.payload["policies"] == {str(large.pk): "large"} and "policy" not in message.payload
    assert str(ordinary.number) in message.text and str(large.number) in message.text
    a_day(company, TODAY + DAY)
    assert len(sent_to(late_client)) == 1


def test_the_same_code_in_two_policies_is_the_step_of_the_items_own_policy(company, late_client):
    policy_named("letters", steps=[a_step("reminder_1", 8, "letter")])
    ordinary, posted = invoice_due(late_client, ago(8)), invoice_due(late_client, ago(8))
    chosen_for(posted, "letters")
    a_day(company, TODAY)
    assert dict(Served.objects.filter(step="reminder_1").values_list("invoice", "channel")) == {
        ordinary.pk: "mail", posted.pk: "letter",
    }
    (message,) = sent_to(late_client)
    assert any(a["name"].startswith("letter-") for a in message.attachments)


def test_spacing_and_window_are_those_of_the_clients_policy(company, late_client):
    policy_named("often", steps=[a_step("one", 1), a_step("two", 3)], spacing_days=1, window_opens=dt.time(14))
    chosen_for(late_client, "often")
    invoice = invoice_due(late_client, ago(1))
    for n in range(3):
        a_day(company, TODAY + n * DAY)
    messages = sent_to(late_client)
    assert [m.on for m in messages] == [TODAY, TODAY + 2 * DAY]
    assert {m.not_before.hour for m in messages} == {13}, "two in the afternoon in Berlin"
    assert messages[0].payload["policy"] == "often"
    assert Served.objects.filter(invoice=invoice, outcome="served").count() == 2


def test_what_comes_next_and_why_follow_the_same_choice(company, late_client):
    policy_named("gentle", steps=[a_step("hello", 3), a_step("again", 20)])
    invoice = invoice_due(late_client, ago(3))
    chosen_for(invoice, "gentle")
    (step,) = (one.decision for one in explained(late_client, TODAY).steps)
    assert (step.rung.code, step.policy.name, step.verdict) == ("hello", "gentle", "serve")
    a_day(company, TODAY)
    (upcoming,) = coming(late_client, TODAY + DAY)
    assert (upcoming.rung.code, upcoming.policy.name) == ("again", "gentle")


def test_a_name_without_a_version_is_refused_where_it_was_chosen(company, late_client):
    invoice = invoice_due(late_client, ago(1))
    chosen_for(late_client, "soon")
    said = "“soon” has no version in force on 2026-11-18.*the client Harbour Lane Coffee"
    with pytest.raises(Refused, match=said) as refused:
        plan(company, TODAY, by="system")
    assert refused.value.where == "client" and not Message.objects.exists()
    chosen_for(late_client, "")
    chosen_for(invoice, "soon")
    with pytest.raises(Refused, match=f"the invoice {invoice}"):
        plan(company, TODAY, by="system")
    with pytest.raises(Refused, match="soon"):
        policy_for_invoice(invoice, TODAY)
    assert policy_for_client(late_client, TODAY) == policy_of(company, TODAY)


def test_an_ordinary_book_pays_nothing_for_the_policies_it_does_not_have(company, late_client):
    invoice_due(late_client, TODAY + 60 * DAY)
    with CaptureQueriesContext(connection) as one:
        plan(company, TODAY, by="system")
    assert "segment" not in "".join(q["sql"] for q in one.captured_queries if "invoices_invoice\".\"due_on" in q["sql"])
    with CaptureQueriesContext(connection) as asked:
        assert in_use(company, TODAY).is_single
    assert len(asked) == 2
    policy_named("gentle")
    chosen_for(late_client, "gentle")
    with CaptureQueriesContext(connection) as two:
        plan(company, TODAY, by="system")
    assert len(two) <= len(one) + 2, "one question more, and its steps"
