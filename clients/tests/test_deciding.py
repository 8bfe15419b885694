"""The credit decision: by policy or otherwise with a permission, a reason and a last day; what it does is in force."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from clients.models import CreditDecision, CreditLimit, StatusChange
from clients.services import save_client
from clients.services.checks import enter_check
from clients.services.deciding import decide_credit, expire_decisions, propose_decision, return_to_decision
from clients.services.limits import limit_of, set_limit
from clients.services.status import set_status, status_of
from core.errors import Refused
from policies.credit import credit_policy_of, new_credit_version
from tests.cast import CLERK, TODAY, make_client, make_company, make_manager

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
LATER = TODAY + 30 * DAY


@pytest.fixture
def newcomer(company):
    facts = {"company": company, "number": "N-1", "name": "Zilver", "currency": "EUR", "language": "en"}
    return save_client(None, facts, by=CLERK, on=TODAY)


def checked(client, score, on=TODAY, **facts):
    return enter_check(client, {"provider": "Agency", "score": Decimal(score)} | facts, again=True, on=on, by=CLERK)


def stands(client, on=TODAY):
    status, limit = status_of(client, on), limit_of(client, client.currency, on)
    return (status.status if status else "open", limit.amount if limit else None)


def test_a_good_check_opens_credit_up_to_the_starting_limit(newcomer):
    check = checked(newcomer, 85, recommended_limit=Decimal(20000))
    proposed = propose_decision(newcomer, TODAY)
    assert not CreditDecision.objects.exists()
    decision = decide_credit(newcomer, on=TODAY, by=CLERK)
    assert (decision.outcome, decision.limit, proposed.outcome) == ("accept", Decimal(5000), "accept")
    assert (decision.check_used, decision.policy) == (check, credit_policy_of(newcomer.company, TODAY))
    assert [rule["code"] for rule in decision.rules] == ["valid_check", "score", "limit"]
    assert stands(newcomer) == ("open", 5000)
    assert Event.objects.get(action="credit_decided").client_id == newcomer.pk
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CreditDecision.objects.update(outcome="decline")


@pytest.mark.parametrize(
    ("score", "flags", "outcome", "status", "limit"),
    [
        (85, [], "accept", "open", 5000),
        (85, ["young_company"], "stricter", "stricter", 2500),
        (50, [], "stricter", "stricter", 2500),
        (30, [], "prepayment", "cash_only", 5000),
        (85, ["insolvency"], "decline", "closed", 5000),
    ],
)
def test_every_outcome_is_put_into_force(newcomer, score, flags, outcome, status, limit):
    checked(newcomer, score, flags=flags)
    decision = decide_credit(newcomer, on=TODAY, by=CLERK)
    assert decision.outcome == outcome
    assert stands(newcomer) == (status, limit)
    change = status_of(newcomer, TODAY)
    if outcome == "stricter":
        assert (change.terms_days, change.deposit_percent) == (14, 0)
    if change:
        assert change.source == "decision" and change.reasons == decision.rules


def test_the_same_decision_on_the_same_grounds_changes_nothing_and_cuts_no_limit_twice(newcomer):
    checked(newcomer, 50)
    first = decide_credit(newcomer, on=TODAY, by=CLERK)
    again = decide_credit(newcomer, on=LATER, by="Bob")
    assert again == first
    checked(newcomer, 51, on=LATER)
    newer = decide_credit(newcomer, on=LATER, by=CLERK)
    assert newer != first and newer.limit == first.limit == 2500
    assert CreditLimit.objects.filter(source="decision").count() == 1


def test_flags_of_every_valid_check_count(newcomer):
    checked(newcomer, 90, on=TODAY - 10 * DAY, provider="Register", flags=["insolvency"])
    checked(newcomer, 90)
    assert propose_decision(newcomer, TODAY).outcome == "decline"


def test_a_second_opinion_does_not_open_what_a_valid_check_of_somebody_else_closed(newcomer):
    """Of each provider the newest valid check counts, and of these the strictest decides."""
    declined = checked(newcomer, 10, provider="Bureau", valid_until=TODAY + DAY)
    checked(newcomer, 95, on=TODAY + DAY, provider="By hand", recommended_limit=Decimal(9000))
    decision = decide_credit(newcomer, on=TODAY + DAY, by=CLERK)
    assert (decision.outcome, decision.check_used) == ("decline", declined)
    (note,) = [rule for rule in decision.rules if rule["code"] == "strictest_check"]
    assert note["saw"] == f"By hand, {TODAY + DAY}: accept; Bureau, {TODAY}: decline"
    assert stands(newcomer, TODAY + DAY)[0] == "closed"
    granted = decide_credit(
        newcomer, on=TODAY + DAY, by=make_manager(), outcome="accept", reason="a guarantee", expires_on=TODAY + DAY
    )
    assert (granted.outcome, granted.check_used) == ("accept", declined)
    assert propose_decision(newcomer, TODAY + 2 * DAY).outcome == "accept"  # the bureau's is no longer valid


def test_the_newest_check_of_the_same_provider_takes_the_place_of_its_earlier_one(newcomer):
    checked(newcomer, 10)
    checked(newcomer, 95, on=TODAY + DAY)
    outcome = propose_decision(newcomer, TODAY + DAY)
    assert outcome.outcome == "accept" and "strictest_check" not in [rule.code for rule in outcome.rules]


def test_where_two_providers_lead_to_the_same_decision_the_lower_limit_counts(newcomer):
    checked(newcomer, 90, provider="Bureau", recommended_limit=Decimal(1000))
    checked(newcomer, 95, on=TODAY + DAY, provider="By hand")
    assert propose_decision(newcomer, TODAY + DAY).limit == 1000


def test_otherwise_than_the_policy_takes_the_permission(newcomer, clerk):
    checked(newcomer, 30)
    for who in (clerk, "system"):
        with pytest.raises(Refused, match="You may not decide otherwise") as refused:
            decide_credit(newcomer, on=TODAY, by=who, outcome="accept", reason="I know them", expires_on=LATER)
        assert refused.value.code == "permission"
    assert not CreditDecision.objects.exists() and not StatusChange.objects.exists()
    assert decide_credit(newcomer, on=TODAY, by=clerk, outcome="prepayment").outcome == "prepayment"


@pytest.mark.parametrize(
    ("facts", "code", "where"),
    [
        ({"reason": " "}, "reason", "reason"),
        ({"expires_on": None}, "expiry", "expires_on"),
        ({"expires_on": TODAY - DAY}, "expired", "expires_on"),
        ({"expires_on": TODAY + 366 * DAY}, "too_long", "expires_on"),
        ({"limit": Decimal(-1)}, "refused", "limit"),
        ({"limit": Decimal("0.001")}, "too_fine", "amount"),
        ({"outcome": "decline", "limit": Decimal(5)}, "refused", "limit"),
        ({"outcome": "hope"}, "refused", "outcome"),
    ],
)
def test_otherwise_takes_a_reason_a_last_day_and_a_limit_that_can_be(newcomer, facts, code, where):
    checked(newcomer, 30)
    said = {"outcome": "accept", "reason": "a guarantee of the parent", "expires_on": LATER} | facts
    with pytest.raises(Refused) as refused:
        decide_credit(newcomer, on=TODAY, by=make_manager(), **said)
    assert (refused.value.code, refused.value.where) == (code, where)
    assert not CreditDecision.objects.exists() and stands(newcomer) == ("open", 5000)


def test_what_the_policy_decides_has_no_last_day(newcomer):
    with pytest.raises(Refused, match="no last day"):
        decide_credit(newcomer, on=TODAY, by=CLERK, expires_on=LATER)


def test_an_exception_holds_until_its_day_and_then_the_policy_decides_again(newcomer):
    checked(newcomer, 30)
    by_policy = decide_credit(newcomer, on=TODAY, by=CLERK)
    granted = decide_credit(
        newcomer, on=TODAY + DAY, by=make_manager(), outcome="accept", reason="a guarantee of the parent",
        expires_on=LATER, limit=Decimal(9000),
    )  # fmt: skip
    assert granted.overrides == by_policy
    assert {"otherwise", "limit_otherwise"} <= {rule["code"] for rule in granted.rules}
    assert stands(newcomer, LATER) == ("open", 9000)
    assert expire_decisions(newcomer.company, LATER, "system") == []
    assert status_of(newcomer, LATER + DAY).status == "cash_only"  # even where the night was missed
    (back,) = expire_decisions(newcomer.company, LATER + DAY, "system")
    assert (back.outcome, back.expires_on, back.decided_by) == ("prepayment", None, "system")
    assert "held until" in back.reason
    assert expire_decisions(newcomer.company, LATER + DAY, "system") == []


def test_after_an_exception_the_limit_falls_back_too(newcomer):
    checked(newcomer, 85)
    granted = {"reason": "a large order", "expires_on": LATER, "limit": Decimal(9000)}
    decide_credit(newcomer, on=TODAY, by=make_manager(), **granted)
    assert stands(newcomer) == ("open", 9000)
    (back,) = expire_decisions(newcomer.company, LATER + DAY, "system")
    assert (back.outcome, stands(newcomer, LATER + DAY)) == ("accept", ("open", 5000))


def test_only_decisions_of_the_company_expire(newcomer):
    checked(newcomer, 30)
    decide_credit(newcomer, on=TODAY, by=make_manager(), outcome="accept", reason="known", expires_on=TODAY)
    assert expire_decisions(make_company("other"), LATER, "system") == []


def test_what_behaviour_or_hand_brought_about_is_not_undone_by_a_decision(newcomer):
    set_status(newcomer, "cash_only", because="61 days overdue", source="policy", on=TODAY, by="system")
    checked(newcomer, 85)
    decision = decide_credit(newcomer, on=TODAY, by=CLERK)
    assert decision.outcome == "accept" and stands(newcomer)[0] == "cash_only"
    note = next(rule for rule in decision.rules if rule["code"] == "status_stays")
    assert "61 days overdue" in note["saw"]
    return_to_decision(newcomer, because="everything overdue is cleared", on=LATER, by="system")
    assert stands(newcomer, LATER)[0] == "open"


def test_when_cash_only_lifts_the_standing_decision_holds_again(newcomer):
    checked(newcomer, 50)
    decide_credit(newcomer, on=TODAY, by=CLERK)
    set_status(newcomer, "cash_only", because="61 days overdue", source="policy", on=TODAY + DAY, by="system")
    change = return_to_decision(newcomer, because="everything overdue is cleared", on=LATER, by="system")
    assert (change.status, change.terms_days, change.source) == ("stricter", 14, "decision")


def test_a_client_nobody_decided_about_returns_to_open(late_client):
    set_status(late_client, "cash_only", because="61 days overdue", source="policy", on=TODAY, by="system")
    assert return_to_decision(late_client, because="cleared", on=LATER, by="system").status == "open"


@pytest.mark.parametrize(
    ("changes", "terms"), [({"stricter_days": 7}, (7, 0)), ({"deposit_percent": 30}, (14, 30))]
)
def test_other_stricter_terms_take_the_place_of_the_standing_ones(newcomer, changes, terms):
    checked(newcomer, 50)
    decide_credit(newcomer, on=TODAY, by=CLERK)
    old = credit_policy_of(newcomer.company, TODAY)
    new_credit_version(old, effective_from=LATER, changes=changes, on=TODAY, by=CLERK)
    decide_credit(newcomer, on=LATER, by=CLERK)
    change = status_of(newcomer, LATER)
    assert (change.terms_days, change.deposit_percent) == terms


def test_a_limit_recommended_in_another_currency_is_shown_and_not_used(newcomer):
    checked(newcomer, 85, recommended_limit=Decimal(100), currency="USD")
    outcome = propose_decision(newcomer, TODAY)
    assert outcome.limit == 5000
    assert [rule.saw for rule in outcome.rules if rule.code == "other_currency"] == ["100.00 USD"]


def test_a_limit_by_hand_is_the_new_measure(company):
    client = make_client(company)
    set_limit(client, Decimal(8000), "EUR", because="asked for", source="hand", on=TODAY, by=make_manager())
    checked(client, 85, recommended_limit=Decimal(50000))
    assert decide_credit(client, on=TODAY, by=CLERK).limit == 8000


def test_before_its_last_day_an_exception_is_ended_only_by_somebody_who_may_make_one(newcomer, clerk):
    """A clerk who lets the policy decide again does not open what a manager has closed."""
    checked(newcomer, 90)
    decide_credit(newcomer, on=TODAY, by=clerk)
    manager = make_manager()
    decide_credit(newcomer, on=TODAY, by=manager, outcome="decline", reason="a fraud is suspected", expires_on=LATER)
    for who in (clerk, CLERK):
        with pytest.raises(Refused, match="You may not end what somebody decided") as refused:
            decide_credit(newcomer, on=LATER, by=who)
        assert refused.value.code == "permission"
    assert status_of(newcomer, LATER).status == "closed"
    assert decide_credit(newcomer, on=LATER, by=manager).outcome == "accept"
    assert status_of(newcomer, LATER).status == "open"
