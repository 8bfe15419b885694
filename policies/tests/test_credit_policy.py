"""Credit policies are versions: the one in force on a day, the next one made from it, none of them ever edited."""

import datetime as dt
import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction

from audit.models import Event
from core.errors import Refused
from core.models import Company
from core.roles import MANAGER
from policies.credit import COPIED, SHIPPED, credit_policy_of, default_credit_policy, new_credit_version
from policies.founding import begin_company
from policies.models import CreditPolicy
from tests.cast import CLERK, TODAY

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(days=1)


def next_one(company, **changes):
    return new_credit_version(
        credit_policy_of(company, TODAY), effective_from=TOMORROW, changes=changes, on=TODAY, by=CLERK
    )


def test_every_company_begins_with_a_credit_policy_and_keeps_the_one_it_has(company):
    policy = credit_policy_of(company, dt.date(2000, 1, 1))
    assert default_credit_policy(company, CLERK) == policy
    begun = begin_company("nb", "USD", CLERK)
    assert credit_policy_of(begun, TODAY).starting_limit["USD"] == "5000"
    assert Event.objects.filter(action="credit_policy_made").count() == CreditPolicy.objects.count() == 2


def test_a_company_without_one_is_told_where_to_make_it(company):
    with pytest.raises(Refused, match="Credit policies") as refused:
        credit_policy_of(company, dt.date(1999, 12, 31))
    assert refused.value.code == "no_credit_policy"


def test_the_policy_as_shipped_passes_its_own_check(company):
    assert next_one(company, accept_score=75).accept_score == 75


def test_a_new_version_is_in_force_from_its_day_and_copies_the_rest(company):
    old = credit_policy_of(company, TODAY)
    new = next_one(company, starting_limit={"EUR": "2500"}, deposit_percent=30)
    assert credit_policy_of(company, TODAY) == old
    assert credit_policy_of(company, TOMORROW) == new
    different = {name for name in COPIED if getattr(old, name) != getattr(new, name)}
    assert different == {"starting_limit", "deposit_percent"}
    assert Event.objects.get(action="credit_policy_version_made").diff["changed"] == [
        "deposit_percent", "starting_limit"
    ]  # fmt: skip


def test_a_version_does_not_begin_today_nor_twice_on_a_day(company):
    old = credit_policy_of(company, TODAY)
    with pytest.raises(Refused, match="tomorrow at the earliest"):
        new_credit_version(old, effective_from=TODAY, changes={}, on=TODAY, by=CLERK)
    next_one(company)
    with pytest.raises(Refused, match="choose another day"):
        next_one(company)
    assert CreditPolicy.objects.filter(company=company).count() == 2


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"starting_limit": {"EUR": "-1"}}, "starting_limit"),
        ({"starting_limit": {"EURO": "100"}}, "starting_limit"),
        ({"highest_limit": {"JPY": "1000.5"}}, "highest_limit"),
        ({"cash_only_sum": {"EUR": "much"}}, "cash_only_sum"),
        ({"accept_score": 101}, "accept_score"),
        ({"accept_score": 40}, "stricter_score"),
        ({"cut_on_time": 90}, "cut_on_time"),
        ({"watch_days": 60}, "watch_days"),
        ({"stricter_days": 0}, "stricter_days"),
        ({"flag_outcomes": {"insolvency": "hope"}}, "flag_outcomes"),
        ({"flag_outcomes": {"bad_hair": "decline"}}, "flag_outcomes"),
        ({"review_days": {"low": 365}}, "review_days"),
        ({"review_days": SHIPPED["review_days"] | {"high": 0}}, "review_days"),
        ({"lifts": "never"}, "lifts"),
        ({"stricter_days": -4}, "stricter_days"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused_by_field(company, changes, where):
    with pytest.raises(Refused) as refused:
        next_one(company, **changes)
    assert refused.value.where == where
    assert CreditPolicy.objects.filter(company=company).count() == 1


def test_a_currency_without_a_sum_and_flags_without_an_outcome_are_allowed(company):
    assert next_one(company, starting_limit={}, flag_outcomes={}, cash_only_sum={}).starting_limit == {}


def test_the_database_refuses_to_change_a_version(company):
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CreditPolicy.objects.update(accept_score=1)


def test_a_company_from_before_gets_the_policy_and_the_roles(db):
    older = Company.objects.create(code="old", name="Older", legal_name="Older Ltd", currency="GBP")
    editor = SimpleNamespace(connection=connection)
    for module in ("policies.migrations.0003_companies_have_a_credit_policy", "clients.migrations.0005_roles"):
        importlib.import_module(module).begin(apps, editor)
    policy = credit_policy_of(older, TODAY)
    assert {name: getattr(policy, name) for name in SHIPPED} == SHIPPED
    assert Group.objects.get(name=MANAGER).permissions.filter(codename="set_limit").exists()
