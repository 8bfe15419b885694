"""The limit review: what behaviour speaks for, who is reviewed when, and who may say yes."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_collections.behaviour import Behaviour
from ar_collections.limit_review import Line, Rules, Standing, propose
from ar_collections.models import LimitProposal
from ar_collections.services.behaving import behaviours_of
from ar_collections.services.promising import judge_promises, promise_payment
from ar_collections.services.reviewing import approve_proposal, propose_limits, reject_proposal, review_limits
from clients.models import Client, CreditLimit
from clients.services.limits import limit_of, set_limit
from core.errors import Refused
from disputes.models import Dispute
from invoices.models import Invoice
from payments.services import deallocate, take_back_payment
from policies.credit import credit_policy_of, new_credit_version
from tests.cast import CLERK, invoice_due, make_client, make_manager, pay

pytestmark = pytest.mark.django_db

AS_OF = dt.date(2026, 11, 18)
GOOD = Behaviour(
    AS_OF, months=12, judged=12, on_time=12, on_time_percent=Decimal(100), days_late=Decimal(0), trend="steady",
    peak=Decimal(2000),
)
RULES = Rules(starting=Decimal(5000), highest=Decimal(50000))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def but(**facts: Any) -> Behaviour:
    return Behaviour(**{**GOOD.__dict__, **facts})


def codes(found: Any, leads_to: str) -> list[str]:
    return [reason.code for reason in found.reasons if reason.leads_to == leads_to]


@pytest.mark.parametrize(
    ("behaviour", "standing", "expected"),
    [
        (GOOD, Standing(Decimal(5000)), ("low", "up", "6250")),
        (but(months=5), Standing(Decimal(5000)), ("medium", "keep", "5000")),
        (but(judged=2, on_time=2), Standing(Decimal(5000)), ("medium", "keep", "5000")),
        (but(on_time_percent=Decimal("89.9")), Standing(Decimal(5000)), ("medium", "keep", "5000")),
        (but(trend="worse"), Standing(Decimal(5000)), ("medium", "keep", "5000")),
        (but(overdue=Decimal(1), overdue_days=3), Standing(Decimal(5000)), ("medium", "keep", "5000")),
        (but(broken_promises=1), Standing(Decimal(5000)), ("medium", "keep", "5000")),
        (but(on_time_percent=Decimal("59.9")), Standing(Decimal(5000)), ("high", "down", "2500")),
        (but(days_late=Decimal(20)), Standing(Decimal(5000)), ("high", "down", "2500")),
        (but(broken_promises=2), Standing(Decimal(5000)), ("high", "down", "2500")),
        (but(returned=1), Standing(Decimal(5000)), ("high", "down", "2500")),
        (but(overdue=Decimal(9), overdue_days=60), Standing(Decimal(5000)), ("high", "down", "2500")),
        (GOOD, Standing(Decimal(45000)), ("low", "up", "50000")),
        (GOOD, Standing(Decimal(60000)), ("low", "keep", "60000")),
        (GOOD, Standing(Decimal(5000), raised_on=day("2026-06-18")), ("low", "keep", "5000")),
        (GOOD, Standing(Decimal(5000), raised_on=day("2026-05-18")), ("low", "up", "6250")),
        (GOOD, Standing(), ("low", "first", "2500")),
        (but(months=2, peak=Decimal(9000)), Standing(), ("medium", "first", "5000")),
        (Behaviour(AS_OF), Standing(), ("medium", "first", "5000")),
        (but(days_late=Decimal(30)), Standing(), ("high", "first", "1000")),
    ],
)
def test_the_next_limit(behaviour, standing, expected):
    found = propose(behaviour, RULES, standing)
    assert (found.risk, found.move, str(found.proposed)) == expected


def test_the_same_signs_lower_a_limit_once():
    bad = but(on_time_percent=Decimal(20), last_sign_on=day("2026-10-01"))
    assert propose(bad, RULES, Standing(Decimal(2500), cut_on=day("2026-10-02"))).move == "keep"
    assert propose(bad, RULES, Standing(Decimal(2500), cut_on=day("2026-09-30"))).move == "down"


@given(
    st.builds(
        Behaviour, st.just(AS_OF), months=st.integers(0, 60), judged=st.integers(0, 40),
        on_time_percent=st.none() | st.decimals(0, 100, places=1), days_late=st.none() | st.decimals(0, 90, places=1),
        trend=st.sampled_from(["", "better", "steady", "worse"]), overdue=st.decimals(0, 9000, places=2),
        broken_promises=st.integers(0, 3), returned=st.integers(0, 1), peak=st.decimals(0, 10**6, places=2),
    ),
    st.none() | st.decimals(0, 10**6, places=2),
)
@settings(max_examples=60, deadline=None)
def test_the_arithmetic_adds_up_and_no_limit_leaves_its_bounds(behaviour, limit):
    found = propose(behaviour, RULES, Standing(limit))
    assert sum(line.amount for line in found.arithmetic[:-1]) == found.proposed >= 0
    assert found.arithmetic[-1] == Line("proposed", found.proposed)
    if limit is not None:
        assert found.proposed <= max(limit, min(limit * Decimal("1.25"), Decimal(50000)))
        assert (found.move == "up") <= (found.risk == "low") and (found.move == "down") <= (found.risk == "high")


def paid_late(client: Client, due_on: str, paid_on: str | None, amount: str = "1000") -> Invoice:
    invoice = invoice_due(client, day(due_on), amount)
    if paid_on:
        pay(client, amount, on=day(paid_on), how={f"invoice:{invoice.pk}": Decimal(amount)})
    return invoice


def test_behaviour_is_read_from_the_ledger(good_client):
    paid_late(good_client, "2026-05-04", "2026-05-01")
    paid_late(good_client, "2026-06-01", "2026-06-11", "3000")
    paid_late(good_client, "2026-11-08", None)
    paid_late(good_client, "2026-12-01", "2026-11-10")
    paid_late(good_client, "2026-12-02", None)
    found = behaviours_of([good_client.pk], AS_OF)[good_client.pk, "EUR"]
    assert (found.judged, found.on_time, found.on_time_percent) == (4, 2, Decimal("50.0"))
    assert found.days_late == Decimal("6.7")  # (10 days × 3000 + 10 days × 1000) / 6000
    assert (found.overdue, found.overdue_days, found.months) == (Decimal(1000), 10, 7)
    assert found.peak == Decimal(3000) and found.last_sign_on == day("2026-11-09")


def test_what_is_disputed_is_no_reproach_and_what_was_taken_back_was_never_paid(good_client):
    disputed = paid_late(good_client, "2026-05-04", "2026-09-01")
    Dispute.objects.create(invoice=disputed, opened_on=day("2026-05-03"), revisit_on=day("2026-06-01"), opened_by=CLERK)
    back = paid_late(good_client, "2026-10-19", "2026-10-19")
    deallocate(back.allocations.get(), on=day("2026-10-29"), by=CLERK)
    then = behaviours_of([good_client.pk], day("2026-10-28"))[good_client.pk, "EUR"]
    now = behaviours_of([good_client.pk], AS_OF)[good_client.pk, "EUR"]
    assert (then.judged, then.on_time, then.disputed, then.overdue) == (1, 1, 1, 0)
    assert (now.judged, now.on_time, now.overdue_days) == (1, 0, 30)


def test_broken_promises_and_returned_payments_are_counted(late_client):
    invoice = paid_late(late_client, "2026-09-30", None)
    promise_payment(invoice, Decimal(1000), day("2026-10-10"), on=day("2026-10-05"), by=CLERK)
    payment = pay(late_client, "500", on=day("2026-10-20"), how="none")
    typo = pay(late_client, "500", on=day("2026-10-20"), how="none")
    take_back_payment(typo, reason="recorded twice", on=day("2026-10-23"), by=CLERK)
    take_back_payment(payment, reason="bounced", on=day("2026-10-22"), by=CLERK, returned_by_bank=True)
    found = behaviours_of([late_client.pk], AS_OF)[late_client.pk, "EUR"]
    assert (found.broken_promises, found.returned, found.last_sign_on) == (1, 1, day("2026-10-22"))
    before = behaviours_of([late_client.pk], day("2026-10-11"))[late_client.pk, "EUR"]
    assert (before.broken_promises, before.returned) == (0, 0)


def good_months(client: Client, months: int, first: dt.date = dt.date(2026, 2, 2)) -> None:
    for n in range(months):
        due_on = first + dt.timedelta(days=30 * (n + 1))
        paid_late(client, due_on.isoformat(), due_on.isoformat())


def test_a_review_asks_a_person_and_holds_once_approved(good_client):
    set_limit(good_client, Decimal(5000), "EUR", because="start", source="policy", on=day("2026-02-02"), by="policy")
    good_months(good_client, 9)
    proposal, = review_limits(good_client.company, AS_OF, by="test")
    assert (proposal.risk, proposal.current, proposal.proposed) == ("low", 5000, 6250)
    assert review_limits(good_client.company, AS_OF, by="test") == []
    with pytest.raises(Refused, match="may not"):
        approve_proposal(proposal, on=AS_OF, by=CLERK)
    manager = make_manager()
    approve_proposal(proposal, on=AS_OF, by=manager)
    limit = limit_of(good_client, "EUR", AS_OF)
    assert (limit.amount, limit.source, limit.set_by) == (6250, "review", "Vera")
    assert "100 % of the invoices paid on time" in limit.because and limit.reasons == proposal.reasons
    with pytest.raises(Refused, match="decided on already"):
        reject_proposal(proposal, reason="no", on=AS_OF, by=manager)


def test_a_proposal_is_rejected_with_a_reason_and_is_stale_once_the_limit_moved(good_client):
    set_limit(good_client, Decimal(5000), "EUR", because="start", source="policy", on=day("2026-02-02"), by="policy")
    good_months(good_client, 9)
    proposal, = review_limits(good_client.company, AS_OF, by="test")
    manager = make_manager()
    with pytest.raises(Refused, match="Write why"):
        reject_proposal(proposal, reason=" ", on=AS_OF, by=manager)
    set_limit(good_client, Decimal(5500), "EUR", because="agreed", source="hand", on=AS_OF, by=manager)
    with pytest.raises(Refused) as refused:
        approve_proposal(proposal, on=AS_OF, by=manager)
    assert refused.value.code == "limit_changed"
    reject_proposal(proposal, reason="was agreed otherwise", on=AS_OF, by=manager)
    assert limit_of(good_client, "EUR", AS_OF).amount == 5500


def test_reviews_come_round_by_risk_class_and_at_once_on_a_warning_sign(late_client):
    company, start = late_client.company, day("2026-01-05")
    set_limit(late_client, Decimal(5000), "EUR", because="start", source="policy", on=start, by="policy")
    DAY = dt.timedelta(days=1)
    assert review_limits(company, start + 89 * DAY, by="test") == [] and not LimitProposal.objects.exists()
    review_limits(company, start + 90 * DAY, by="test")
    first = LimitProposal.objects.get()
    assert (first.risk, first.outcome, first.note) == ("medium", "approved", "Nothing changes.")
    review_limits(company, start + 179 * DAY, by="test")
    assert LimitProposal.objects.count() == 1
    review_limits(company, start + 180 * DAY, by="test")
    assert LimitProposal.objects.count() == 2
    invoice = paid_late(late_client, "2026-07-20", None)
    for n in (1, 4):
        promised = day("2026-07-21") + n * DAY
        promise_payment(invoice, Decimal(1000), promised, on=promised - DAY, by=CLERK)
        judge_promises(company, promised + 2 * DAY, by="test")
        Invoice.objects.get(pk=invoice.pk)
    assert review_limits(company, day("2026-07-28"), by="test") == [], "a cut asks nobody first"
    cut = LimitProposal.objects.first()
    assert (cut.risk, cut.current, cut.proposed, cut.outcome) == ("high", 5000, 2500, "approved")
    assert cut.note == "At once, as the credit policy says."
    limit = limit_of(late_client, "EUR", day("2026-07-28"))
    assert (limit.amount, limit.source, limit.effective_on) == (2500, "review", day("2026-07-28"))
    assert "promise" in limit.because.lower()
    review_limits(company, day("2026-07-28"), by="test")
    assert review_limits(company, day("2026-08-27"), by="test") == []
    assert limit_of(late_client, "EUR", day("2026-08-27")).amount == 2500, "the same signs cut once"
    assert LimitProposal.objects.first().reasons[-1]["code"] == "cut_already"


def test_a_policy_may_have_a_cut_wait_for_a_person_like_a_raise(late_client):
    company, start = late_client.company, day("2026-01-05")
    new_credit_version(
        credit_policy_of(company, start), effective_from=start, changes={"cuts": "after_review"},
        on=start - dt.timedelta(days=1), by=CLERK,
    )
    set_limit(late_client, Decimal(5000), "EUR", because="start", source="policy", on=start, by="policy")
    for n in range(3):
        paid_late(late_client, f"2026-0{n + 2}-01", f"2026-0{n + 4}-20")
    cut, = review_limits(company, day("2026-07-28"), by="test")
    assert (cut.proposed, cut.outcome) == (2500, "")
    assert limit_of(late_client, "EUR", day("2026-07-28")).amount == 5000
    approve_proposal(cut, on=day("2026-07-28"), by=make_manager())
    assert limit_of(late_client, "EUR", day("2026-07-28")).amount == 2500


def test_an_imported_client_without_a_limit_is_reviewed_at_once(good_client, late_client):
    invoice_due(late_client, day("2026-12-01"), "1234.56")
    proposal, = review_limits(late_client.company, AS_OF, by="test")
    assert (proposal.client, proposal.current, proposal.proposed) == (late_client, None, 1240)
    assert not CreditLimit.objects.exists()


def test_a_newer_proposal_takes_the_place_of_an_open_one(late_client):
    invoice_due(late_client, day("2026-12-01"), "1000")
    old, = review_limits(late_client.company, AS_OF, by="test")
    new, = review_limits(late_client.company, day("2027-02-17"), by="test")
    old.refresh_from_db()
    assert (old.outcome, new.outcome) == ("replaced", "")


def test_many_clients_take_as_many_questions_as_one(company, django_assert_max_num_queries):
    for n in range(6):
        paid_late(make_client(company, f"C-{n}"), "2026-10-01", "2026-10-02")
    with django_assert_max_num_queries(8):
        assert len(list(propose_limits(company, AS_OF))) == 6


def test_the_command_prints_every_client_with_reasons(good_client):
    good_months(good_client, 9)
    make_client(good_client.company, "C-9000")
    out = io.StringIO()
    call_command("limit_review", "--as-of", AS_OF.isoformat(), "--json", stdout=out)
    answer = json.loads(out.getvalue())
    one, = answer["proposals"]
    assert (one["client"], one["current"], one["proposed"], one["move"]) == ("C-0001", None, "1250.00", "first")
    assert {reason["code"] for reason in one["reasons"]} >= {"months", "share", "days_late", "trend", "promises"}
    assert [line["code"] for line in one["arithmetic"]] == ["peak", "step_up", "proposed"]
    out = io.StringIO()
    call_command("limit_review", "--as-of", AS_OF.isoformat(), "--all", "--save", stdout=out)
    assert "C-9000" in out.getvalue() and "2 wait for approval" in out.getvalue()
    assert LimitProposal.objects.filter(outcome="").count() == 2


def test_the_command_refuses_what_is_not_there(good_client, capsys):
    for option in (["--client", "nobody"], ["--company", "none"]):
        with pytest.raises(SystemExit) as stopped:
            call_command("limit_review", "--as-of", "2026-11-18", *option)
        assert stopped.value.code == 1
