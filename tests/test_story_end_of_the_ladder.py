"""Case 35: the end of the ladder, what happens (killbill#708).

Nothing is forgotten and nothing goes on for ever by itself: a person is asked to decide, a statement of account comes
every month until somebody does, and who hands the client over has the last word.
"""

from __future__ import annotations

import pytest

from ar_collections.models import Served, Task
from ar_collections.services.desk import close_task
from ar_collections.services.explaining import explain
from ar_collections.services.stages import move_stage, stage_of
from tests.cast import CLERK, TODAY, invoice_due, pay
from tests.collecting import DAY, a_day, on_days, sent_to, served

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_the_end(company, late_client):
    """Fifty-nine days late, reissued, and under final notice since two weeks."""
    invoice = invoice_due(late_client, TODAY - 59 * DAY)
    for step, channel, days in (("reissue", "mail", 29), ("final_notice", "letter", 14)):
        Served.objects.create(invoice=invoice, step=step, channel=channel, on=TODAY - days * DAY)
    for stage in ("reminded", "final_notice"):
        move_stage(late_client, stage, because="as the ladder says", on=TODAY - 14 * DAY, by="system")
    return invoice


def test_after_the_last_notice_a_person_decides_and_no_machine_does(company, late_client, at_the_end):
    on_days(company, TODAY, 0, 1, 9, 20)
    review = Task.objects.get(kind="review")
    assert review.due_on == TODAY + DAY and "Decide" in review.because and review.closed_on is None
    assert sent_to(late_client) == [], "no mail before day ninety"
    assert stage_of(late_client) == "final_notice", "nothing is handed over by itself"


def test_a_statement_comes_every_thirty_days_until_somebody_decides(company, late_client, at_the_end):
    on_days(company, TODAY, 1, 31, 32, 33, 34, 60, 61, 62, 91, 92)
    days_late = [(on - at_the_end.due_on).days for step, on in served(at_the_end) if step == "statement"]
    assert days_late == [92, 120, 150], "day 90 is a Saturday"
    assert all(m.attachments[0]["name"].startswith("statement-") for m in sent_to(late_client))


def test_put_aside_it_comes_back_in_a_month(company, late_client, at_the_end):
    on_days(company, TODAY, 0, 1)
    review = Task.objects.get(kind="review")
    close_task(review, because="wait for the trade fair", on=TODAY + 2 * DAY, by=CLERK)
    on_days(company, TODAY, 2, 15, 30, 31, 35)
    again = Task.objects.exclude(pk=review.pk).get(kind="review")
    assert (again.due_on - review.due_on).days == 30


def test_handed_over_is_the_end_and_we_are_silent(company, late_client, at_the_end):
    """The agency writes from now on; our statement would only confuse."""
    move_stage(late_client, "handed_over", because="agency, file 4711", on=TODAY, by=CLERK)
    on_days(company, TODAY, 1, 30, 33)
    assert sent_to(late_client) == [] and not Task.objects.filter(kind="review").exists()
    verdicts = {step["step"]: step["verdict"] for step in explain(late_client, TODAY + 31 * DAY)["steps"]}
    assert verdicts == dict.fromkeys(["statement", "call_2", "review"], "handed_over")


def test_paid_at_the_end_everything_ends(company, late_client, at_the_end):
    on_days(company, TODAY, 0, 1)
    pay(late_client, "1000", on=TODAY + 2 * DAY)
    a_day(company, TODAY + 2 * DAY)
    assert Task.objects.get(kind="review").closed_because == "Paid"
    assert stage_of(late_client) == "current"
    on_days(company, TODAY, 30, 33)
    assert sent_to(late_client) == []
