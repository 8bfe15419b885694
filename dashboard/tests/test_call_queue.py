"""The call queue: who stands on it and why, what logging a call does, and that a refusal keeps what was typed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from ar_collections.models import ContactLog, Promise, Task
from ar_collections.services.contact_log import log_contact
from ar_collections.services.desk import open_task
from ar_collections.services.promising import judge_promises, promise_payment
from ar_collections.services.stages import stage_of
from core.services import today
from dashboard.reports.calls import done_on
from disputes.models import Dispute
from tests.cast import CLERK, invoice_due, make_client, make_company, make_invoice

pytestmark = pytest.mark.django_db
KEY = "form:test"


@pytest.fixture
def on(company: Any) -> dt.date:
    return today(company, timezone.now())


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    client.force_login(clerk)
    return client


def days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


def overdue(company: Any, on: dt.date, number: str, amount: str, late: int = 20, **facts: Any) -> Task:
    """A client with one overdue invoice whose call is due today."""
    client = make_client(company, number, name=f"{number} Ltd", **facts)
    invoice_due(client, on - days(late), amount)
    return open_task(client, "call", because=f"{late} days overdue", due_on=on, on=on, by="system")


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def names(page: Any) -> list[str]:
    return [call.client.number for call in page.context["calls"]]


def post(desk: Any, task: Task, outcome: str, where: str = "/collections/", **facts: Any) -> Any:
    return desk.post(where, {"client": task.client_id, "key": KEY, "outcome": outcome} | facts)


def test_the_queue_is_ordered_by_money_at_risk_and_small_sums_stand_below(desk, company, on):
    overdue(company, on, "C-1", "300")
    overdue(company, on, "C-2", "9000")
    Task.objects.filter(pk=overdue(company, on, "C-3", "90").pk).update(low_priority=True)
    page = desk.get("/collections/")
    assert names(page) == ["C-2", "C-1"]
    assert [call.client.number for call in page.context["small"]] == ["C-3"]
    assert "€9,000.00" in page.content.decode()
    assert "20 days overdue" in page.content.decode()


def test_whoever_sleeps_is_marked_with_the_time_there(desk, company):
    with time_machine.travel(dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC), tick=False):
        overdue(company, dt.date(2026, 11, 18), "C-1", "900")
        overdue(company, dt.date(2026, 11, 18), "C-2", "300", time_zone="America/Los_Angeles")
        page = desk.get("/collections/")
    assert [(call.clock, call.out_of_hours) for call in page.context["calls"]] == [("13:00", False), ("04:00", True)]
    assert page.content.decode().count("Outside office hours there:") == 1
    assert "04:00 there" in page.content.decode()


def test_from_the_middle_of_the_list_one_goes_on_below_and_from_its_end_to_the_top(desk, company, on):
    tasks = [overdue(company, on, f"C-{n}", str(900 - n)) for n in range(3)]
    assert post(desk, tasks[1], "spoke")["Location"] == f"/collections/?log={tasks[2].client_id}"
    last = desk.post("/collections/", {"client": tasks[2].client_id, "key": "form:2", "outcome": "spoke"})
    assert last["Location"] == f"/collections/?log={tasks[0].client_id}"


def test_a_client_with_two_reasons_is_called_once_for_both(desk, late_client, on):
    invoice = invoice_due(late_client, on - days(30), "2150")
    promise_payment(invoice, Decimal(2150), on - days(3), on=on - days(9), by=CLERK)
    judge_promises(late_client.company, on, by="system")
    open_task(late_client, "call", because="30 days overdue", due_on=on, on=on, by="system")
    page = desk.get("/collections/")
    assert names(page) == [late_client.number]
    text = page.content.decode()
    assert "Promise broken" in text and "€2,150.00 promised for" in text and "First call" in text
    post(desk, Task.objects.first(), "spoke")
    assert not Task.objects.filter(closed_on=None).exists()


def test_no_answer_comes_back_tomorrow_and_says_how_often_it_was_tried(desk, company, on):
    task = overdue(company, on, "C-1", "300")
    post(desk, task, "no_answer")
    assert names(desk.get("/collections/")) == []
    Task.objects.update(snoozed_until=None)
    assert "No answer, second try" in desk.get("/collections/").content.decode()


def test_what_no_call_answers_stands_apart_and_is_done_with_a_sentence(desk, late_client, on):
    letter = open_task(late_client, "letter", because="Second reminder by post", due_on=on, on=on, by="system")
    page = desk.get("/collections/")
    assert [call.client for call in page.context["others"]] == [late_client]
    assert desk.post(f"/tasks/{letter.pk}/done/", {"because": ""}).status_code == 422
    answer = desk.post(f"/tasks/{letter.pk}/done/?next=/collections/%3Fowner%3Dme", {"because": "Posted at noon"})
    assert answer["Location"] == "/collections/?owner=me"
    letter.refresh_from_db()
    assert letter.closed_because == "Posted at noon"


def test_after_a_call_the_form_of_the_next_client_is_open(desk, company, on):
    first, second = overdue(company, on, "C-1", "900"), overdue(company, on, "C-2", "300")
    answer = post(desk, first, "spoke", "/collections/?owner=", said="Will look into it")
    assert answer["Location"] == f"/collections/?owner=&log={second.client_id}"
    text = desk.get(answer["Location"]).content.decode()
    assert f'id="log-{second.client_id}" method="post" novalidate aria-label="Log a call with C-2 Ltd">' in text
    assert ContactLog.objects.get().said == "Will look into it"


def test_a_promise_pauses_until_the_day_after_and_the_page_says_so(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    assert 'data-grace="1"' in desk.get("/collections/").content.decode()
    post(desk, task, "promised", amount="400", promised_for=str(on + days(5)))
    promise = Promise.objects.get()
    assert (promise.amount, promise.pauses_until) == (400, on + days(6))
    assert "Queue done: 1 call, €400 promised." in desk.get("/collections/").content.decode()


def test_a_refused_promise_keeps_what_was_typed_and_says_where(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    page = post(desk, task, "promised", amount="1,000", promised_for=str(on), said="Payment run on Friday")
    assert page.status_code == 422
    text = page.content.decode()
    assert "900.00 EUR is all that is open" in text
    assert 'value="1,000"' in text and 'value="Payment run on Friday"' in text
    assert 'role="alert"' in text
    assert f'id="log-{task.client_id}" method="post" novalidate aria-label="Log a call with C-1 Ltd">' in text
    assert not ContactLog.objects.exists()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"outcome": ""}, "Say what happened"),
        ({"outcome": "promised", "amount": "much"}, "Write an amount such as"),
        ({"outcome": "promised", "amount": "100", "promised_for": "2020-01-01"}, "Promise today or a later day"),
        ({"outcome": "spoke", "next_step": "Send the delivery note"}, "By which day"),
        ({"outcome": "spoke", "next_step": "Send it", "next_on": "2020-01-01"}, "today or later"),
        ({"outcome": "wrong_person", "right_phone": "+49 30 1"}, "Who is the right person"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(desk, company, on, facts, sentence):
    task = overdue(company, on, "C-1", "900")
    page = desk.post("/collections/", {"client": task.client_id, "key": KEY} | facts)
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert not ContactLog.objects.exists()


def test_the_wrong_person_gives_way_to_the_right_one_who_is_called_next(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    overdue(company, on, "C-2", "300")
    wrong = task.client.contacts.get()
    right = {"right_name": "Jonas Petersen", "right_phone": "+49 40 66969 900", "right_email": "jonas@client.example"}
    answer = post(desk, task, "wrong_person", contact=wrong.pk, **right)
    assert answer["Location"] == f"/collections/?log={task.client_id}"
    text = desk.get(answer["Location"]).content.decode()
    assert "tel:+494066969900" in text and "Jonas Petersen" in text
    assert "Mara Winter" not in text.partition("C-2 Ltd")[0]


def test_a_dispute_and_a_claim_to_have_paid_reach_the_invoice(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    invoice = task.client.invoices.get()
    facts = {"reason": "price", "about": invoice.pk, "said": "Two hours too many", "revisit_on": str(on + days(3))}
    post(desk, task, "disputes", **facts)
    assert Dispute.objects.get().revisit_on == on + days(3)
    other = overdue(company, on, "C-2", "300")
    desk.post("/collections/", {"client": other.client_id, "key": "form:2", "outcome": "claims_paid"})
    assert Task.objects.get(kind="matching").invoice.client == other.client


def test_the_same_form_sent_twice_counts_once(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    for _n in range(2):
        post(desk, task, "promised", amount="100", promised_for=str(on + days(1)))
    assert ContactLog.objects.count() == Promise.objects.count() == 1


def test_a_call_a_colleague_was_quicker_with_is_kept_and_the_colleague_named(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    log_contact(
        task.client, key="other", channel="call", direction="out", outcome="spoke", happened_at=timezone.now(), on=on,
        by="Ben Ode", task=task,
    )  # fmt: skip
    page = desk.get(post(desk, task, "spoke")["Location"])
    assert "Ben Ode logged a contact with C-1 Ltd" in page.content.decode()
    assert ContactLog.objects.count() == 2


def test_a_client_of_another_company_is_not_logged_here(desk, on):
    task = overdue(make_company("us", currency="USD"), on, "1001", "900")
    assert post(desk, task, "spoke").status_code == 404
    assert desk.post("/collections/", {"client": "x", "outcome": "spoke"}).status_code == 404


def test_putting_off_needs_a_later_day_and_skipping_a_reason(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    refused = desk.post(f"/tasks/{task.pk}/snooze/", {"until": str(on)})
    assert refused.status_code == 422 and "later day than today" in refused.content.decode()
    assert desk.post(f"/tasks/{task.pk}/skip/", {"reason": ""}).status_code == 422
    desk.post(f"/tasks/{task.pk}/snooze/", {"until": str(on + days(2))})
    task.refresh_from_db()
    assert task.snoozed_until == on + days(2)
    desk.post(f"/tasks/{task.pk}/skip/", {"reason": "Pays on Mondays"})
    task.refresh_from_db()
    assert task.closed_because == "Skipped: Pays on Mondays"


def test_a_task_is_handed_over_and_found_by_its_owner(desk, company, clerk, on):
    mine, theirs = overdue(company, on, "C-1", "900"), overdue(company, on, "C-2", "300")
    ben = User.objects.create_user("ben", password="x", is_staff=True)
    desk.post(f"/tasks/{mine.pk}/assign/", {"owner": clerk.pk})
    desk.post(f"/tasks/{theirs.pk}/assign/", {"owner": ben.pk})
    assert names(desk.get("/collections/?owner=me")) == ["C-1"]
    assert names(desk.get(f"/collections/?owner={ben.pk}")) == ["C-2"]
    assert "Nothing like that today" in desk.get("/collections/?owner=none").content.decode()
    assert names(desk.get("/collections/?kind=call")) == ["C-1", "C-2"]


def test_the_stage_is_shown_and_moves_only_where_the_map_allows(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    text = desk.get("/collections/").content.decode()
    address = f"/clients/{task.client_id}/stage/?next=/collections/"
    assert "Not escalated" in text and address in text
    assert [stage for stage, _label in desk.get(address).context["form"].fields["stage"].choices] == [
        "reminded", "called", "compromise", "final_notice",
    ]  # fmt: skip
    assert desk.post(address, {"stage": "handed_over", "because": "Enough"}).status_code == 422
    assert desk.post(address, {"stage": "final_notice", "because": "Agreed with Ada"})["Location"] == "/collections/"
    assert "Final notice" in desk.get("/collections/").content.decode()


def test_the_file_holds_a_line_per_task_and_no_formula(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    task.client.name = "@SUM(A1)"
    task.client.save()
    lines = b"".join(desk.get("/collections/?format=csv").streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("'@SUM(A1),C-1,Mara Winter,'+49 40 5550 9921,call,")
    assert ",900.00,EUR,20," in lines[1]


def test_an_empty_queue_says_so(desk):
    assert "Nobody to call today" in desk.get("/collections/").content.decode()


def test_sums_of_two_currencies_stand_one_under_the_other(desk, company, on):
    task = overdue(company, on, "C-1", "900")
    make_invoice(task.client, "50", on=on - days(60), currency="USD")
    (call,) = desk.get("/collections/").context["calls"]
    assert call.overdue == [("EUR", 900), ("USD", 50)]


def test_the_queue_asks_the_database_a_fixed_number_of_times(desk, company, on, django_assert_max_num_queries):
    for n in range(30):
        overdue(company, on, f"C-{n}", str(300 + n))
    for address in ("/collections/", "/collections/?page=2"):
        with django_assert_max_num_queries(25):
            assert desk.get(address).status_code == 200


def test_a_call_logged_by_mistake_is_undone_with_all_it_brought(desk, company, on):
    task = overdue(company, on, "C-1", "300")
    invoice = task.client.invoices.get()
    promise = promise_payment(invoice, Decimal(100), on + days(3), on=on, by=CLERK)
    answer = desk.post(
        "/collections/",
        {"client": task.client_id, "key": KEY, "outcome": "promised", "amount": "300", "next_step": "Ask again",
         "promised_for": (on + days(5)).isoformat(), "covers": invoice.pk, "next_on": (on + days(6)).isoformat()},
        follow=True,
    )  # fmt: skip
    entry = ContactLog.objects.get()
    assert url("call_undo", entry.pk) in answer.content.decode()
    assert stage_of(task.client) == "called" and names(answer) == []
    for _twice in range(2):
        desk.post(url("call_undo", entry.pk))
    assert names(desk.get("/collections/")) == ["C-1"]
    assert stage_of(task.client) == "current"
    assert list(Promise.objects.running_on(on)) == [promise]
    assert list(Task.objects.filter(closed_on=None)) == [task]
    assert [log.said for log in ContactLog.objects.filter(corrects=entry)] == ["Struck out: it was logged by mistake"]
    assert done_on(company, on).calls == 0


def test_no_answer_that_was_none_leaves_the_task_on_today_s_list(desk, company, on):
    task = overdue(company, on, "C-1", "300")
    post(desk, task, "no_answer")
    assert names(desk.get("/collections/")) == []
    desk.post(url("call_undo", ContactLog.objects.get().pk))
    page = desk.get("/collections/")
    assert names(page) == ["C-1"]
    task.refresh_from_db()
    assert task.snoozed_until is None
    assert page.context["calls"][0].rows[0].task.tries == 0


def test_a_call_of_a_minute_ago_or_of_somebody_else_is_not_undone(desk, company, on, client):
    task = overdue(company, on, "C-1", "300")
    post(desk, task, "spoke")
    entry = ContactLog.objects.get()
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1)):
        assert "too late" in desk.post(url("call_undo", entry.pk), follow=True).content.decode()
    session = desk.session
    session.pop("call_undo")
    session.save()
    assert "logged last" in desk.post(url("call_undo", entry.pk), follow=True).content.decode()
    assert not entry.corrections.exists()
