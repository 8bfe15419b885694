"""Exceptions are granted by somebody with the permission, for a reason, until a day; and end on it or before."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from audit.models import Event
from clients.models import CreditOverride
from clients.services.overrides import end_override, grant_override, standing_overrides, why_none_stands
from core.errors import Refused
from tests.cast import TODAY

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


@pytest.fixture
def manager():
    return User.objects.create_superuser("grace", first_name="Grace", last_name="Okafor")


def grant(client, by, **facts):
    return grant_override(
        client, **{"allows": "over_limit", "reason": "their fair", "expires_on": TODAY + WEEK, "on": TODAY} | facts,
        by=by,
    )


def test_an_exception_stands_from_its_first_to_its_last_day(late_client, manager):
    override = grant(late_client, manager)
    assert standing_overrides(late_client, TODAY - WEEK) == []
    assert standing_overrides(late_client, TODAY) == standing_overrides(late_client, TODAY + WEEK) == [override]
    assert standing_overrides(late_client, TODAY + WEEK + dt.timedelta(days=1)) == []
    told = Event.objects.get(action="credit_override_granted")
    assert (told.client_id, told.actor, told.summary) == (late_client.pk, "Grace Okafor", "their fair")


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"reason": "  "}, "reason"), ({"allows": "anything"}, "allows"),
        ({"expires_on": TODAY - WEEK}, "expires_on"), ({"expires_on": TODAY + 20 * WEEK}, "expires_on"),
    ],
)  # fmt: skip
def test_an_exception_needs_a_reason_and_a_day_to_come(late_client, manager, facts, where):
    with pytest.raises(Refused) as refused:
        grant(late_client, manager, **facts)
    assert refused.value.where == where
    assert not CreditOverride.objects.exists()


def test_a_clerk_grants_and_ends_none(late_client, clerk, manager):
    for by in (clerk, "system", "client"):
        with pytest.raises(Refused, match="You may not grant an exception"):
            grant(late_client, by)
    with pytest.raises(Refused, match="You may not end"):
        end_override(grant(late_client, manager), by=clerk)


def test_the_same_exception_is_not_granted_twice_but_prolonged(late_client, manager):
    grant(late_client, manager)
    with pytest.raises(Refused, match="stands until 2026-11-25"):
        grant(late_client, manager)
    grant(late_client, manager, expires_on=TODAY + 2 * WEEK)
    grant(late_client, manager, allows="on_credit")
    assert CreditOverride.objects.count() == 3


def test_an_ended_exception_stays_ended_and_is_never_edited(late_client, manager):
    override = end_override(grant(late_client, manager), by=manager)
    ended_at = end_override(override, by=manager).ended_at
    assert ended_at == override.ended_at and standing_overrides(late_client, TODAY) == []
    assert "was ended by Grace Okafor" in why_none_stands([override], "over_limit", TODAY)
    assert why_none_stands([override], "on_credit", TODAY) == ""
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditOverride.objects.filter(pk=override.pk).update(expires_on=TODAY + 5 * WEEK)
