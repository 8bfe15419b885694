"""Case 8: exclude one invoice or client, «Mahnstopp» (invoiceninja#1578, #7840, OCA#170, OCA#460, myinvoice#91).

An exclusion has a scope, a reason and an end. What is excluded comes back on time and where it was, and what is not
excluded is not touched by it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ar_collections.models import Pause
from ar_collections.services.explaining import explain
from ar_collections.services.pausing import end_pause, pause_chasing
from core.errors import Refused
from tests.cast import CLERK, TODAY, invoice_due
from tests.collecting import DAY, a_day, on_days, sent_to, served

pytestmark = pytest.mark.django_db


def told_about(client: Any) -> list[list[str]]:
    """The steps each mail served, mail by mail."""
    return [sorted(code for _pk, code, _cycle in message.payload["items"]) for message in sent_to(client)]


def test_one_invoice_is_excluded_and_its_siblings_go_on(company, late_client):
    """A delivery is being traced: that invoice rests for two weeks, the other is reminded of as ever."""
    excluded, sibling = invoice_due(late_client, TODAY - DAY), invoice_due(late_client, TODAY - DAY)
    pause_chasing(
        late_client, invoice=excluded, reason="the parcel is being traced", until=TODAY + 13 * DAY, on=TODAY, by=CLERK
    )
    on_days(company, TODAY, 0, 1, 7, 13)
    assert served(excluded) == []
    assert [step for step, _on in served(sibling)] == ["first_overdue", "reminder_1", "call_1"]
    for message in sent_to(late_client):
        assert str(excluded.number) not in message.text, "the mail about the sibling does not ask for it"


def test_it_comes_back_on_the_day_after_its_end_and_the_sibling_is_not_silenced(company, late_client):
    excluded, sibling = invoice_due(late_client, TODAY - DAY), invoice_due(late_client, TODAY - DAY)
    until = TODAY + 6 * DAY  # a Tuesday
    pause_chasing(late_client, invoice=excluded, reason="price list", until=until, on=TODAY, by=CLERK)
    on_days(company, TODAY, 0, 6, 7, 13)
    assert served(excluded)[0] == ("reminder_1", until + DAY), "the step of its day, not the one it missed"
    assert [step for step, _on in served(sibling)] == ["first_overdue", "reminder_1", "call_1"]
    assert told_about(late_client) == [["first_overdue"], ["reminder_1", "reminder_1"]], "one mail for both"


def test_a_whole_client_rests_and_says_why_and_until_when(company, late_client, good_client):
    mine, others = invoice_due(late_client, TODAY - 8 * DAY), invoice_due(good_client, TODAY - 8 * DAY)
    pause_chasing(late_client, reason="the owner is in hospital", until=TODAY + 30 * DAY, on=TODAY, by=CLERK)
    a_day(company, TODAY)
    assert served(mine) == [] and served(others) == [("reminder_1", TODAY)]
    (step,) = explain(late_client, TODAY)["steps"]
    said = next(guard["because"] for guard in step["guards"] if guard["guard"] == "pause")
    assert (step["verdict"], said) == ("pause", "paused until 2026-12-18: the owner is in hospital")


def test_ended_early_it_goes_on_at_once_and_where_it_was(company, late_client):
    """Nothing it was told before is told again."""
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    pause = pause_chasing(late_client, reason="on holiday", until=TODAY + 60 * DAY, on=TODAY + DAY, by=CLERK)
    on_days(company, TODAY, 1, 7, 14)
    end_pause(pause, on=TODAY + 15 * DAY, by=CLERK)
    a_day(company, TODAY + 15 * DAY)
    messages = [step for step, on in served(invoice) if on >= TODAY + 15 * DAY]
    assert sorted(messages) == ["call_1", "reminder_2"]
    assert len(sent_to(late_client)) == 2


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"reason": " ", "until": TODAY + DAY}, "Write why"),
        ({"reason": "x", "until": TODAY - DAY}, "ends today or later"),
        ({"reason": "x", "until": TODAY + 400 * DAY}, "a year at most"),
    ],
)
def test_there_is_no_exclusion_without_reason_or_end(late_client, facts: dict[str, Any], words: str):
    invoice_due(late_client, TODAY - DAY)
    with pytest.raises(Refused, match=words):
        pause_chasing(late_client, on=TODAY, by=CLERK, **facts)
    assert not Pause.objects.exists()


def test_nobody_is_excluded_for_ever_by_forgetting(company, late_client):
    """The last day of the pause is over by itself; nobody has to remember."""
    invoice = invoice_due(late_client, TODAY - DAY)
    pause_chasing(late_client, reason="until the new year", until=dt.date(2026, 12, 31), on=TODAY, by=CLERK)
    a_day(company, dt.date(2026, 12, 31))
    assert served(invoice) == []
    a_day(company, dt.date(2027, 1, 4))
    assert {step for step, _on in served(invoice)} >= {"reissue"}
