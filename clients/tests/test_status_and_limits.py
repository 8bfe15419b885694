"""Which status and limit hold on a day, for one client and for many; and since when nothing is sold on credit."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.models import CreditLimit, StatusChange
from clients.services.limits import limit_of, limits_of, set_limit
from clients.services.status import refused_since, set_status, status_of, statuses_of
from core.errors import Refused
from tests.cast import CLERK, TODAY, make_client, make_manager

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def move(client, status, on, **facts):
    return set_status(client, status, because="test", source="policy", on=on, by="system", **facts)


def test_time_without_credit_runs_from_its_first_day_also_across_statuses(late_client):
    move(late_client, "cash_only", TODAY - 40 * DAY)
    move(late_client, "open", TODAY - 30 * DAY)
    move(late_client, "cash_only", TODAY - 20 * DAY, ends_on=TODAY - 5 * DAY)
    move(late_client, "closed", TODAY - 10 * DAY)
    assert refused_since([late_client], TODAY) == {late_client.pk: TODAY - 20 * DAY}
    assert refused_since([late_client], TODAY - 35 * DAY) == {late_client.pk: TODAY - 40 * DAY}
    assert refused_since([late_client], TODAY - 25 * DAY) == {}


def test_after_its_last_day_a_status_gives_way_to_the_one_before(late_client):
    move(late_client, "watch", TODAY - 9 * DAY)
    move(late_client, "cash_only", TODAY, ends_on=TODAY + DAY)
    assert [status_of(late_client, TODAY + n * DAY).status for n in range(3)] == ["cash_only", "cash_only", "watch"]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["open", "watch", "stricter", "cash_only", "closed"]),
                  st.integers(0, 20), st.none() | st.integers(0, 9)), max_size=10,
    ),
    asked=st.integers(0, 25),
)  # fmt: skip
def test_asked_for_many_clients_the_answer_is_the_one_for_each(company, changes, asked):
    clients = list(company.clients.all()) or [make_client(company, f"C-{n}", email=None) for n in range(3)]
    for which, status, day, lasts in changes:
        begins = TODAY + day * DAY
        StatusChange.objects.create(
            client=clients[which], status=status, effective_on=begins, because="test", source="hand", set_by=CLERK,
            ends_on=None if lasts is None else begins + lasts * DAY,
        )
        CreditLimit.objects.create(
            client=clients[which], currency="EUR" if day % 2 else "USD", amount=Decimal(day), effective_on=begins,
            source="hand", because="test", set_by=CLERK,
        )
    on = TODAY + asked * DAY
    many, limits = statuses_of(clients, on), limits_of(clients, on)
    for client in clients:
        assert many.get(client.pk) == status_of(client, on)
        for currency in ("EUR", "USD"):
            assert limits.get((client.pk, currency)) == limit_of(client, currency, on)


@pytest.mark.parametrize(
    ("amount", "currency", "because", "says"),
    [("-1", "EUR", "test", "zero or more"), ("0.005", "EUR", "test", "finer than"), ("1", "EURO", "test", "currency"),
     ("1", "EUR", " ", "Say why")],
)  # fmt: skip
def test_a_limit_below_zero_too_fine_or_without_a_reason_is_refused(late_client, amount, currency, because, says):
    by = User.objects.create_superuser("grace")
    with pytest.raises(Refused, match=says):
        set_limit(late_client, Decimal(amount), currency, because=because, source="hand", on=TODAY, by=by)
    assert not CreditLimit.objects.exists()


def test_by_hand_only_who_may_sets_a_limit_or_a_status(late_client, clerk):
    with pytest.raises(Refused, match="You may not set a credit limit"):
        set_limit(late_client, Decimal(1), "EUR", because="test", source="hand", on=TODAY, by=clerk)
    with pytest.raises(Refused, match="You may not set the credit status"):
        set_status(late_client, "cash_only", because="test", source="hand", on=TODAY, by=clerk)
    assert not CreditLimit.objects.exists() and not StatusChange.objects.exists()


@pytest.mark.parametrize("standing", ["cash_only", "open", None])
def test_what_a_person_sets_is_kept_also_where_the_client_stands_there_already(late_client, standing):
    """Otherwise the policy would lift cash-only in spite of the reason a person gave, or begin it in spite of her."""
    if standing:
        set_status(late_client, "watch", because="late", source="policy", on=TODAY, by="system")
        set_status(late_client, standing, because="61 days overdue", source="policy", on=TODAY, by="system")
    manager, wanted = make_manager(), standing or "open"
    by_hand = set_status(late_client, wanted, because="a fraud is suspected", source="hand", on=TODAY, by=manager)
    held = status_of(late_client, TODAY)
    assert held is not None and (held.pk, held.source) == (by_hand.pk, "hand")
    again = set_status(late_client, wanted, because="said again", source="hand", on=TODAY, by=manager)
    policy = set_status(late_client, wanted, because="62 days overdue", source="policy", on=TODAY, by="system")
    assert again == policy == by_hand
