"""Case 32: more steps, fewer, others (invoiceninja#2865, #1730, dolibarr#14695).

A ladder is as long as the company wants. A new version changes what comes and never what was; and one invoice, one
client or a whole segment may climb another ladder than everybody else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from ar_collections.services.explaining import explain
from clients.models import Client
from invoices.models import Invoice
from policies.models import Policy, Segment
from policies.services import STEP_FIELDS, new_version, policy_of
from tests.cast import TODAY, invoice_due, make_client
from tests.collecting import DAY, a_day, a_step, on_days, policy_named, sent_to, served

pytestmark = pytest.mark.django_db


def ladder_from(old: Policy, on: dt.date, steps: Sequence[dict[str, Any]]) -> Policy:
    return new_version(old, effective_from=on, changes={"spacing_days": 0}, steps=steps, on=on - DAY, by="test")


def kept(policy: Policy, *codes: str) -> list[dict[str, Any]]:
    return [{name: getattr(s, name) for name in STEP_FIELDS} for s in policy.steps.all() if s.code in codes]


def test_eight_reminders_where_somebody_wants_eight(company, late_client):
    steps = [a_step(f"word_{n}", 2 * n) for n in range(1, 9)]
    Client.objects.filter(pk=late_client.pk).update(policy_name=policy_named("eight", steps=steps, spacing_days=0).name)
    invoice = invoice_due(late_client, TODAY - 2 * DAY)
    on_days(company, TODAY, 0, 2, 5, 6, 8, 12, 14)
    days_late = {step: (on - invoice.due_on).days for step, on in served(invoice)}
    assert days_late == {"word_1": 2, "word_2": 4, "word_3": 7, "word_4": 8, "word_5": 10, "word_7": 14, "word_8": 16}


def test_a_single_step_and_then_silence(company, late_client):
    Client.objects.filter(pk=late_client.pk).update(policy_name=policy_named("once", steps=[a_step("once", 10)]).name)
    invoice_due(late_client, TODAY - 10 * DAY)
    on_days(company, TODAY, 0, 1, 8, 40)
    assert len(sent_to(late_client)) == 1


def test_a_version_with_more_steps_serves_what_comes_and_not_what_was_passed(company, late_client):
    """A step of day 4 is added on day 9: nobody gets the mail of day 4 after that of day 8."""
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    old = policy_of(company, TODAY)
    ladder_from(old, TODAY + DAY, [
        *kept(old, "pre_due", "first_overdue", "reminder_1"), a_step("added_before", 4),
        a_step("added_after", 16),
    ])
    on_days(company, TODAY, 1, 7, 8)
    assert [step for step, _on in served(invoice)] == ["reminder_1", "added_after"]


def test_a_version_with_fewer_steps_repeats_nothing(company, late_client):
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    old = policy_of(company, TODAY)
    ladder_from(old, TODAY + DAY, kept(old, "first_overdue", "reminder_1", "reminder_2"))
    on_days(company, TODAY, 1, 6, 13, 20)
    assert [step for step, _on in served(invoice)] == ["reminder_1", "reminder_2"]


def test_a_step_moved_to_a_later_day_keeps_its_name_and_is_not_said_twice(company, late_client):
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    old = policy_of(company, TODAY)
    moved = [step | {"offset_days": 15} for step in kept(old, "reminder_1")]
    ladder_from(old, TODAY + DAY, [*kept(old, "first_overdue"), *moved])
    on_days(company, TODAY, 1, 7, 14)
    assert served(invoice) == [("reminder_1", TODAY)]


def test_the_nearest_choice_holds(company, late_client):
    """The company's, the segment's, the client's, the invoice's: each nearer choice takes the place of the farther."""
    for name in ("of_segment", "of_client", "of_invoice"):
        policy_named(name, steps=[a_step(name, 1)])
    segment = Segment.objects.create(company=company, name="public bodies", policy_name="of_segment")
    council = make_client(company, "C-0200", segment=segment)
    invoice = invoice_due(council, TODAY - DAY)

    def step_of_today() -> str:
        (step,) = explain(Client.objects.get(pk=council.pk), TODAY)["steps"]
        return str(step["step"])

    assert step_of_today() == "of_segment"
    Client.objects.filter(pk=council.pk).update(policy_name="of_client")
    assert step_of_today() == "of_client"
    Invoice.objects.filter(pk=invoice.pk).update(policy_name="of_invoice")
    assert step_of_today() == "of_invoice"
    Invoice.objects.filter(pk=invoice.pk).update(policy_name="")
    Client.objects.filter(pk=council.pk).update(policy_name="", segment=None)
    assert step_of_today() == "first_overdue", "the company's, as for everybody"
