"""Case 7: which level when invoices differ, and may levels be skipped? (OCA #35, #432, #470)

Every invoice keeps its own place on the ladder; one mail covers all, and the furthest step sets its tone. What was
missed is passed over and named; a step marked as a mandatory notice never is.
"""

from __future__ import annotations

import pytest

from ar_collections.models import Served
from ar_collections.services.explaining import explain
from outbox.services import send_again
from tests.cast import CLERK, TODAY, invoice_due
from tests.collecting import DAY, a_day, on_days, sent_to, served

pytestmark = pytest.mark.django_db


def passed_over(invoice: object) -> set[tuple[str, str]]:
    rows = Served.objects.filter(invoice=invoice, outcome="skipped")
    return set(rows.values_list("step", "because"))


def test_one_mail_the_furthest_step_sets_the_tone_and_each_invoice_keeps_its_place(company, late_client):
    young, middle, old = (invoice_due(late_client, TODAY - days * DAY) for days in (1, 8, 21))
    a_day(company, TODAY)
    (message,) = sent_to(late_client)
    assert "overdue" in message.subject
    assert [a["name"] for a in message.attachments] == [f"letter-{TODAY}.pdf"], "the firm step is a letter too"
    for invoice in (young, middle, old):
        assert str(invoice.number) in message.text
    assert [dict(served(invoice)).keys() & {"first_overdue", "reminder_1", "reminder_2"} for invoice in (
        young, middle, old,
    )] == [{"first_overdue"}, {"reminder_1"}, {"reminder_2"}]  # fmt: skip


def test_the_younger_one_climbs_on_by_its_own_days(company, late_client):
    """The firm mail of the old invoice does not carry the young one up with it."""
    young, old = invoice_due(late_client, TODAY - DAY), invoice_due(late_client, TODAY - 21 * DAY)
    on_days(company, TODAY, 0, 7, 9, 12)
    on_their_days = {step: (on - young.due_on).days for step, on in served(young)}
    assert on_their_days == {"first_overdue": 1, "reminder_1": 8}
    assert (dict(served(old))["reissue"] - old.due_on).days == 33, "day 30, and five days after the mail before"


def test_what_was_missed_is_passed_over_and_says_for_which_step(company, late_client):
    """Nobody ran the planner for three weeks: one mail, the furthest step, and the others are named."""
    invoice = invoice_due(late_client, TODAY - 21 * DAY)
    a_day(company, TODAY)
    assert len(sent_to(late_client)) == 1
    assert passed_over(invoice) == {(step, "reminder_2") for step in ("pre_due", "first_overdue", "reminder_1")}


def test_a_mandatory_notice_is_never_passed_over(company, late_client):
    """Sixty days late and never told: the notice of interest, the final one, the review; each has its time."""
    invoice = invoice_due(late_client, TODAY - 61 * DAY)
    a_day(company, TODAY)
    assert "reissue" in dict(served(invoice)) and "final_notice" not in dict(served(invoice))
    waiting = {step["step"]: step["verdict"] for step in explain(late_client, TODAY + DAY)["steps"]}
    assert waiting == {"final_notice": "time_to_pay", "call_2": "serve"}
    on_days(company, TODAY, 1, 6, 7, 8, 20, 21, 22)
    steps = dict(served(invoice))
    assert steps["final_notice"] == steps["reissue"] + 7 * DAY and steps["review"] == steps["final_notice"] + 14 * DAY
    assert "reissue" not in {step for step, _because in passed_over(invoice)}
    assert "final_notice" not in {step for step, _because in passed_over(invoice)}


def test_sending_a_mail_again_moves_nobody_up(company, late_client):
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    (message,) = sent_to(late_client)
    before = served(invoice)
    send_again(message, on=TODAY, now=message.not_before, by=CLERK)
    assert served(invoice) == before
