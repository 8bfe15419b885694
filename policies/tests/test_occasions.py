"""The occasions on which we greet: as shipped, and as an administrator writes them."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.urls import reverse

from core.errors import Refused
from policies.founding import begin_company
from policies.models import Occasion
from policies.occasions import KEY_DATES, SEEDS, check_occasion, seed_occasions
from tests.cast import CLERK

pytestmark = pytest.mark.django_db


def test_a_new_company_has_every_occasion_and_feasts_of_a_faith_are_not_in_use():
    company = begin_company("new", "EUR", CLERK)
    assert set(company.occasions.values_list("code", flat=True)) == {seed.code for seed in SEEDS}
    off = set(company.occasions.filter(is_active=False).values_list("code", flat=True))
    assert off == {"christmas", "easter"}


def test_seeding_again_changes_nothing(company):
    assert seed_occasions(company, CLERK) == len(SEEDS)
    Occasion.objects.filter(code="new_year").update(text_en="Ours", is_active=False)
    assert seed_occasions(company, CLERK) == 0
    assert Occasion.objects.get(code="new_year").text_en == "Ours"


def test_a_company_that_was_here_before_gets_them_too(company):
    Occasion.objects.create(company=company, code="easter", name="Ours", rule="easter", day=1)
    migration = importlib.import_module("policies.migrations.0004_companies_have_occasions")
    for _again in range(2):
        migration.begin(apps, None)
    assert company.occasions.count() == len(SEEDS)
    assert company.occasions.get(code="easter").name == "Ours"


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.code)
def test_what_is_shipped_would_be_accepted(seed):
    check_occasion({"code": seed.code, **seed.fields()})
    assert (seed.falls["rule"] == "key_date") == (seed.code in KEY_DATES)


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"rule": "fixed", "month": 2, "day": 30}, "day"),
        ({"rule": "fixed", "month": 2, "day": 0}, "day"),
        ({"rule": "fixed", "month": 13, "day": 1}, "month"),
        ({"rule": "fixed", "month": 5}, "day"),
        ({"rule": "nth_weekday", "month": 5, "nth": 6, "weekday": 0}, "nth"),
        ({"rule": "nth_weekday", "month": 5, "nth": 1}, "weekday"),
        ({"rule": "easter"}, "day"),
        ({"rule": "key_date", "code": "wedding"}, "code"),
        ({"rule": "easter", "day": 0, "countries": "Germany"}, "countries"),
        ({"rule": "easter", "day": 0, "text_fr": "Bonjour {nom}"}, "text_fr"),
    ],
)
def test_an_occasion_that_never_falls_is_refused_at_its_field(facts, where):
    with pytest.raises(Refused) as refused:
        check_occasion(facts)
    assert refused.value.where == where


def test_the_admin_says_what_is_wrong_with_an_occasion(client, company):
    seed_occasions(company, CLERK)
    client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
    page = reverse("admin:policies_occasion_change", args=[company.occasions.get(code="new_year").pk])
    form = client.get(page).context["adminform"].form
    data = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    answer = client.post(page, data | {"month": "2", "day": "30"})
    assert "That month has no such day." in answer.content.decode()
    assert client.post(page, data | {"days_before": "5"}).status_code == 302
    assert company.occasions.get(code="new_year").days_before == 5
