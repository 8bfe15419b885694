"""What happened, newest first."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from ar_collections.models import ContactLog, Pause, Promise, StageChange, Task
from clients.services.limits import set_limit
from clients.services.overrides import grant_override
from disputes.services import close_dispute, open_dispute
from imports.cells import Reading
from imports.services.open_items import Taking, import_open_items
from invoices.models import LinkView, ShareLink
from invoices.services.drafting import delete_draft
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.pro_forma import cancel_pro_forma, make_pro_forma
from outbox.models import Message
from reports.timeline import client_timeline, latest
from tests.cast import make_client, make_company, make_draft, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db

JAN = dt.date(2026, 1, 5)


def noon(day):
    return dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def client():
    return make_client(make_company(), name="Harbour Lane")


@pytest.fixture
def eventful(client):
    """One of everything, each on a later day of January."""
    days = [JAN + dt.timedelta(days=n) for n in range(12)]
    invoice = make_invoice(client, "100", on=days[0])
    Message.objects.create(
        key="m1", kind="notice", party=f"client:{client.pk}", on=days[1], subject="A friendly note", state="sent",
        message_id="<1>", to_addr="ap@client.example", not_before=noon(days[1]), sent_at=noon(days[1]),
    )  # fmt: skip
    link = ShareLink.objects.create(client=client, invoice=invoice, expires_at=noon(days[11]))
    LinkView.objects.create(link=link, seen_at=noon(days[2]))
    ContactLog.objects.create(
        client=client, happened_at=noon(days[3]), channel="call", direction="out", outcome="spoke", said="Next week.",
        with_whom="Mara Winter", key="c1", logged_by="Ada",
    )  # fmt: skip
    Promise.objects.create(
        client=client, invoice=invoice, amount=Decimal(60), currency="EUR", promised_for=days[9], pauses_until=days[10],
        made_on=days[4], made_by="Ada",
    )  # fmt: skip
    Pause.objects.create(client=client, reason="moving house", from_on=days[5], until_on=days[9], paused_by="Ada")
    dispute = open_dispute(invoice, reason="price", text="Too much.", on=days[6], by="client")
    close_dispute(dispute, outcome="It was right.", on=days[7], by="Ada")
    StageChange.objects.create(
        client=client, stage_from="current", stage_to="reminded", because="first reminder", changed_on=days[8],
        changed_by="system",
    )  # fmt: skip
    pay(client, "40", on=days[9], reference="TRX-9")
    task = Task.objects.create(
        key="t1", company=client.company, client=client, kind="call", because="23 days late", due_on=days[10]
    )
    Task.objects.filter(pk=task.pk).update(opened_at=noon(days[10]))
    void_invoice(make_invoice(client, "5", on=days[11]), reason="twice", on=days[11], by="Ada")
    return client


def test_a_client_s_timeline_has_everything_newest_first(eventful):
    told = client_timeline(eventful)
    assert [(h.kind, h.text) for h in told] == [
        ("invoice", "Invoice LO-2026-0002 voided"),
        ("invoice", "Invoice LO-2026-0002 over €5.00 issued"),
        ("task", "To do: call"),
        ("payment", "Paid €40.00"),
        ("stage", "Stage: reminded"),
        ("dispute", "Dispute of LO-2026-0001 closed"),
        ("dispute", "Disputes LO-2026-0001: price or amount"),
        ("pause", "Reminders paused until 14 January 2026"),
        ("promise", "Promised €60.00 for 14 January 2026"),
        ("call", "Call: spoke"),
        ("view", "Opened the page of LO-2026-0001"),
        ("mail", "Mail sent: “A friendly note”"),
        ("invoice", "Invoice LO-2026-0001 over €100.00 issued"),
    ]
    call = next(h for h in told if h.kind == "call")
    assert call.quote == "Next week." and "Mara Winter" in call.note and "Ada" in call.note
    assert all(h.client == eventful.pk and h.client_name == "Harbour Lane" for h in told)


def test_it_is_told_in_the_reader_s_language_of_amounts_and_days(eventful):
    with translation.override("de"):
        assert any("60,00\xa0€" in h.text and "14. Januar 2026" in h.text for h in client_timeline(eventful))


def test_what_was_invoiced_in_spite_of_a_rule_of_credit_is_told_with_who_and_why(client):
    set_limit(client, Decimal(10), "EUR", because="start", source="policy", on=JAN, by="system")
    manager = make_manager()
    grant_override(client, "over_limit", "their fair", expires_on=JAN, on=JAN, by=manager)
    invoice = issue_invoice(make_draft(client, "50"), on=JAN, by=manager)
    (told,) = [h for h in client_timeline(client) if h.text == "Invoiced in spite of the credit rules"]
    assert "over the limit of €10.00" in told.quote and "Vera: their fair" in told.quote
    assert (told.note, told.target) == ("Vera", ("invoice", invoice.pk))


def test_a_pro_forma_stays_in_the_file_when_its_draft_is_thrown_away(client):
    draft = make_draft(client, "50")
    pro_forma = make_pro_forma(draft, JAN, on=JAN, by="Ada")
    cancel_pro_forma(pro_forma, "ordered twice", on=JAN, by="Ada")
    told = [(h.text, h.quote) for h in client_timeline(client) if h.target == ("invoice", draft.pk)]
    delete_draft(draft, by="Ada")
    again = [(h.text, h.quote) for h in client_timeline(client) if h.target == ("pro_forma", pro_forma.pk)]
    assert again == told == [
        ("Pro forma LO-PF-2026-0001 cancelled", "ordered twice"),
        ("Pro forma LO-PF-2026-0001 over €50.00 made", ""),
    ]
    assert client_timeline(make_client(client.company, "C-9")) == []


def test_it_tells_nothing_of_other_clients(eventful):
    stranger = make_client(eventful.company, "C-9")
    assert client_timeline(stranger) == []


def test_a_message_that_was_only_planned_did_not_happen(client):
    for state in ("pending", "held", "cancelled"):
        Message.objects.create(
            key=state,
            kind="notice",
            party=f"client:{client.pk}",
            on=JAN,
            state=state,
            message_id=state,
            not_before=noon(JAN),
        )
    assert client_timeline(client) == []


def test_an_item_taken_over_stands_on_its_own_day_in_the_file_and_as_one_line_in_the_feed(client):
    rows = b"n,c,i,d,t,s\n7,C-0001,2020-01-02,2020-02-01,50,2020-02-10\n8,C-0001,2020-03-02,2020-04-01,60,\n"
    words = {"number": "n", "client": "c", "issued_on": "i", "due_on": "d", "total": "t", "settled_on": "s"}
    taking = Taking(Reading(words, "%Y-%m-%d", "EUR"), source="sage.csv")
    import_open_items(rows, taking, on=JAN, by="Ada")
    assert [(h.on, h.kind) for h in client_timeline(client)] == [
        (dt.date(2020, 3, 2), "invoice"),
        (dt.date(2020, 2, 10), "payment"),
        (dt.date(2020, 1, 2), "invoice"),
    ]
    assert [h.text for h in latest(client.company)] == ["Open items taken over from sage.csv"]


def test_the_feed_has_the_last_things_written_down_in_the_company_and_no_other(eventful):
    stranger = make_client(make_company("us", currency="USD"))
    make_invoice(stranger, "5")
    told = latest(eventful.company, 5)
    assert len(told) == 5 and {h.client for h in told} == {eventful.pk}
    assert [h.at for h in told] == sorted((h.at for h in told), reverse=True)
    assert latest(stranger.company)[0].client == stranger.pk


@pytest.mark.parametrize("invoices", [1, 20])
def test_reading_takes_as_many_queries_however_much_happened(eventful, invoices, django_assert_max_num_queries):
    for _ in range(invoices):
        make_invoice(eventful, "5", on=timezone.now().date())
    with django_assert_max_num_queries(29):  # one for each kind of thing that can happen
        client_timeline(eventful)
    with django_assert_max_num_queries(22):
        latest(eventful.company)
