"""The five answers: each a plain form, each kept in the contact log, each once however often it is sent."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from ar_collections.models import ContactLog, Pause, Promise, Task
from ar_collections.services.desk import close_task
from disputes.models import Dispute
from invoices.services.linking import link_for, rotate_link, token_of
from tests.cast import TODAY, make_client, make_invoice, pay

NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
PROMISE = {"promised_for": "2026-12-20", "amount": "1000"}
PAID = {"paid_on": "2026-11-16", "amount": "1000", "reference": "RF-77", "note": "from our Lyon branch"}
QUERY = {"reason": "price", "text": "We agreed on 900."}
PLAN = {"text": "Three instalments from January"}
ANSWERS = {"paid": PAID, "promise": PROMISE, "query": QUERY, "plan": PLAN}


@pytest.fixture(autouse=True)
def that_day():
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def invoice(late_client):
    return make_invoice(late_client)


@pytest.fixture
def at(invoice):
    link = link_for(invoice, invoice.client.contacts.get(), timezone.now())
    return f"/i/{link.pk}/{token_of(link)}/"


def send(client, at, answer, *, key=None, **changes):
    return client.post(f"{at}{answer}/", {"key": key or str(uuid.uuid4()), **ANSWERS[answer], **changes})


def counts():
    return [model.objects.count() for model in (ContactLog, Pause, Promise, Task, Dispute)]


def told(client, at):
    page = client.get(at).content.decode()
    said = re.search(r'<section class="told".*?</section>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", said[0]).split()) if said else ""


def test_i_will_pay_on_is_kept_as_a_promise_and_the_page_says_what_follows(client, at, invoice):
    answer = send(client, at, "promise")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{at}#told")
    promise = Promise.objects.get()
    assert (promise.invoice, promise.amount, promise.promised_for) == (invoice, 1000, dt.date(2026, 12, 20))
    assert promise.by_client and promise.contact == invoice.client.contacts.get()
    assert told(client, at).endswith(
        "You will pay €1,000.00 by 20 December 2026. "
        "We send no reminders about this invoice up to and including 21 December 2026."
    )
    log = ContactLog.objects.get()
    assert (log.channel, log.direction, log.outcome, log.logged_by) == ("portal", "in", "promised", "client")
    assert log.invoices == [invoice.pk] and log.said == "1000.00 EUR, 2026-12-20"


def test_a_small_part_promised_is_kept_and_the_page_does_not_say_that_reminders_stop(client, at):
    assert "Reminders go on if it is less than 50% of what is open." in client.get(at).content.decode()
    send(client, at, "promise", amount="499.99")
    assert Promise.objects.get().amount == Decimal("499.99")
    said = told(client, at)
    assert "Our reminders about this invoice go on meanwhile." in said and "no reminders" not in said


def test_too_late_a_day_is_refused_with_the_latest_one_and_whom_to_call(client, at):
    answer = send(client, at, "promise", promised_for="2027-01-02")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The latest day you can choose here is 1 January 2027." in page
    assert "+49 30 5550 147" in page
    assert 'value="2027-01-02"' in page and "<details id=\"promise\" open>" in page
    assert counts() == [0] * 5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"promised_for": "2026-11-17"}, "This day has passed."),
        ({"amount": "1000.01"}, "That is more than is owed: €1,000.00."),
        ({"amount": "0"}, "Write an amount above zero."),
        ({"amount": "-5"}, "Write an amount above zero."),
        ({"amount": "1e3"}, "Write an amount, for example 1000.00."),
        ({"amount": "NaN"}, "Write an amount, for example 1000.00."),
        ({"amount": "１０"}, "Write an amount, for example 1000.00."),
        ({"amount": "10.999"}, "Write an amount, for example 1000.00."),
        ({"promised_for": "20.12.2026"}, "Enter a valid date."),
        ({"promised_for": ""}, "This field is required."),
        ({"key": "not a key"}, "Enter a valid UUID."),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_kept(client, at, changes, words):
    answer = client.post(f"{at}promise/", {"key": str(uuid.uuid4()), **PROMISE, **changes})
    assert answer.status_code == 422
    assert words in answer.content.decode() or "key" in changes
    assert counts() == [0] * 5


def test_an_amount_is_read_as_the_reader_writes_it(client, company):
    buyer = make_client(company, language="de")
    invoice = make_invoice(buyer, "5748.89")
    link = link_for(invoice, buyer.contacts.get(), timezone.now())
    at = f"/i/{link.pk}/{token_of(link)}/"
    assert 'value="5748,89"' in client.get(at).content.decode()
    for written, read in (("1.234,50", "1234.50"), ("1234.50", "1234.50"), ("1.234", "1234"), ("99,5", "99.5")):
        key = str(uuid.uuid4())
        assert send(client, at, "paid", key=key, amount=written, reference=key).status_code == 303
        said = ContactLog.objects.get(key__endswith=key).said
        assert said.startswith(f"{Decimal(read):.2f} EUR"), written
    assert send(client, at, "paid", amount="1,234").status_code == 422


def test_the_policys_number_of_promises_ends_them(client, at, invoice):
    for n in (20, 21):
        assert send(client, at, "promise", promised_for=f"2026-12-{n}").status_code == 303
    answer = send(client, at, "promise", promised_for="2026-12-22")
    assert answer.status_code == 422
    assert Promise.objects.count() == 2
    assert "You have given us a day before." in answer.content.decode()
    assert Promise.objects.running_on(TODAY).get().promised_for == dt.date(2026, 12, 21)


def test_a_double_click_on_the_last_promise_allowed_is_not_refused(client, at):
    send(client, at, "promise", promised_for="2026-12-20")
    key = str(uuid.uuid4())
    for _ in range(2):
        assert send(client, at, "promise", key=key, promised_for="2026-12-21").status_code == 303
    assert Promise.objects.count() == 2 and ContactLog.objects.count() == 2


def test_already_paid_pauses_as_the_policy_says_and_somebody_looks_for_it(client, at, invoice):
    assert "send no reminders for 7 days" in client.get(at).content.decode()
    assert send(client, at, "paid").status_code == 303
    pause = Pause.objects.get()
    assert (pause.invoice, pause.from_on, pause.until_on) == (invoice, TODAY, TODAY + dt.timedelta(days=7))
    task = Task.objects.get()
    assert task.kind == "matching" and "RF-77" in task.detail and "Lyon" in task.detail
    assert ContactLog.objects.get().outcome == "claims_paid"
    assert "up to and including 25 November 2026" in told(client, at)


def test_saying_it_again_does_not_prolong_the_pause_and_the_page_does_not_say_so(client, at):
    send(client, at, "paid")
    assert "send no reminders for" not in client.get(at).content.decode()
    send(client, at, "paid", reference="RF-78")
    assert Pause.objects.count() == 1 and Task.objects.count() == 1
    assert "RF-78" in Task.objects.get().detail


def test_a_payment_in_the_future_is_a_promise(client, at):
    answer = send(client, at, "paid", paid_on="2026-11-19")
    assert answer.status_code == 422
    assert "If you will pay then, choose “I will pay on …”." in answer.content.decode()


def test_something_is_wrong_raises_a_dispute_and_a_task(client, at, invoice):
    assert send(client, at, "query").status_code == 303
    dispute = Dispute.objects.get()
    assert (dispute.invoice, dispute.reason, dispute.text) == (invoice, "price", "We agreed on 900.")
    assert dispute.opened_by == "client" and dispute.revisit_on > TODAY
    assert Task.objects.get().kind == "answer"
    assert "something is wrong: price or amount" in told(client, at)


def test_what_is_said_again_stands_on_the_open_task_and_after_it_is_done_on_a_new_one(client, at):
    """While the dispute is open nothing that the client adds may sit in the log alone."""
    broken = {"reason": "delivery", "text": "And half of it is missing."}
    for answer, more in (("query", broken), ("plan", {"text": "Two parts would do"})):
        send(client, at, answer)
        task = Task.objects.latest("pk")
        Task.objects.filter(pk=task.pk).update(snoozed_until=TODAY + dt.timedelta(days=5))
        send(client, at, answer, **more)
        task.refresh_from_db()
        assert ANSWERS[answer]["text"] in task.detail and more["text"] in task.detail
        assert task.snoozed_until is None, "there is something new to read"
        close_task(task, because="answered", on=TODAY, by="Ada")
        send(client, at, answer, **more)
        again = Task.objects.latest("pk")
        assert again.pk != task.pk and again.closed_on is None and again.detail == more["text"]
    assert Dispute.objects.count() == 1


def test_a_plan_request_becomes_a_task_and_the_page_promises_no_silence(client, at):
    assert send(client, at, "plan").status_code == 303
    task = Task.objects.get()
    assert task.kind == "plan_request" and task.detail == "Three instalments from January"
    assert not Pause.objects.exists() and not Promise.objects.exists()
    said = told(client, at)
    assert "You asked for a plan. Somebody gets in touch with you about it." in said
    assert "no reminders" not in said


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_same_form_sent_twice_says_it_once(client, at, answer):
    key = str(uuid.uuid4())
    assert send(client, at, answer, key=key).status_code == 303
    after_one = counts()
    assert send(client, at, answer, key=key).status_code == 303
    assert counts() == after_one


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_staff_read_is_in_the_companys_language(client, company, answer):
    """A French client writes in French; the words around it are ours."""
    buyer = make_client(company, language="fr")
    link = link_for(make_invoice(buyer), buyer.contacts.get(), timezone.now())
    assert send(client, f"/i/{link.pk}/{token_of(link)}/", answer).status_code == 303
    said = " ".join(f"{t.because} {t.detail}" for t in Task.objects.all()) + ContactLog.objects.get().said
    assert not re.search(r"prix|échéancier|payée|Demande", said)


@pytest.mark.parametrize("answer", ANSWERS)
def test_nothing_is_said_about_an_invoice_that_is_paid(client, at, late_client, answer):
    pay(late_client, "1000")
    assert send(client, at, answer).status_code == 303
    assert counts() == [0] * 5


@pytest.mark.parametrize("answer", ANSWERS)
def test_nobody_answers_without_the_link(client, at, invoice, answer):
    link = invoice.links.get()
    rotate_link(link, by="test", at=timezone.now())
    assert send(client, at, answer).status_code == 200  # the page of a link that does not open
    assert counts() == [0] * 5


@pytest.mark.parametrize("answer", ANSWERS)
def test_our_own_people_do_not_speak_for_the_client(client, clerk, at, answer):
    client.force_login(clerk)
    assert b"<button disabled>" in client.get(at).content
    assert send(client, at, answer).status_code == 303
    assert counts() == [0] * 5


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_form_of_another_site_is_refused(at, answer):
    browser = Browser(enforce_csrf_checks=True)
    browser.get(at)
    assert send(browser, at, answer).status_code == 403
    assert counts() == [0] * 5


@pytest.mark.parametrize("answer", ANSWERS)
def test_each_answer_has_an_address_at_which_the_page_stands_open(client, at, answer):
    page = client.get(f"{at}{answer}/").content.decode()
    assert re.findall(r'<details id="(\w+)" open>', page) == [answer]
    assert counts() == [0] * 5


def test_the_language_chosen_stays_through_an_answer(client, at):
    page = client.get(f"{at}?lang=de").content.decode()
    assert f'action="{at}promise/?lang=de#promise"' in page
    answer = client.post(f"{at}promise/?lang=de", {"key": str(uuid.uuid4()), **PROMISE, "amount": "1000"})
    assert answer.headers["Location"] == f"{at}?lang=de#told"


NASTY = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>{{ 7|add:7 }}'


@pytest.mark.parametrize(
    ("answer", "field"), [("paid", "note"), ("paid", "reference"), ("query", "text"), ("plan", "text")]
)
def test_what_the_client_writes_is_kept_as_text_and_comes_back_as_text(client, at, answer, field):
    assert send(client, at, answer, **{field: NASTY}).status_code == 303
    assert NASTY in ContactLog.objects.get().said
    bad = {"paid": {"amount": "x"}, "query": {"reason": "x"}, "plan": {"key": "x"}}[answer]
    page = send(client, at, answer, **{field: NASTY, **bad}).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page and "<img src=x" not in page


def test_endless_text_is_refused(client, at):
    answer = send(client, at, "plan", text="x" * 2001)
    assert answer.status_code == 422 and counts() == [0] * 5


def test_a_flood_of_answers_by_one_link_ends_after_twenty_whatever_network_it_comes_from(client, at, late_client):
    asked = [client.post(f"{at}query/", {"key": str(uuid.uuid4()), **QUERY}, REMOTE_ADDR=f"192.0.2.{n}")
             for n in range(25)]  # fmt: skip
    assert [answer.status_code for answer in asked] == [303] * 20 + [429] * 5
    assert "Very much was asked for by this link" in asked[-1].content.decode()
    assert ContactLog.objects.count() == 20 and Dispute.objects.count() == 1
    assert client.get(at).status_code == 200
    other = link_for(make_invoice(make_client(late_client.company, "C-7")), None, timezone.now())
    assert send(client, f"/i/{other.pk}/{token_of(other)}/", "query").status_code == 303
