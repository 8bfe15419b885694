"""The terms on which we sell on credit: none until published, in versions, read and published in the admin."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.urls import reverse

from core.errors import Refused
from policies.credit_terms import (
    TEXTS,
    latest_terms,
    new_terms_version,
    next_terms,
    publish_shipped_terms,
    sections_of,
    shipped_terms,
    terms_in_force,
)
from policies.models import CreditTerms
from tests.cast import CLERK, TODAY

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(days=1)


@pytest.fixture
def admin(client, company):
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
        yield client


def publish(company, effective_from=TODAY, **changes):
    return new_terms_version(
        company, shipped_terms() | changes, effective_from=effective_from, on=TODAY, by=CLERK
    )


def test_a_company_has_no_terms_until_somebody_publishes_them(company):
    assert terms_in_force(company, TODAY) is None
    terms = publish_shipped_terms(company, on=TODAY, by=CLERK)
    assert terms_in_force(company, TODAY) == terms
    assert terms_in_force(company, TODAY - dt.timedelta(days=1)) is None
    assert publish_shipped_terms(company, on=TODAY, by=CLERK) == terms


def test_the_version_in_force_is_the_latest_that_has_begun(company):
    first = publish(company)
    second = publish(company, TODAY + dt.timedelta(days=30), title_en="New credit terms")
    assert terms_in_force(company, TODAY + dt.timedelta(days=29)) == first
    assert terms_in_force(company, TODAY + dt.timedelta(days=30)) == second == latest_terms(company)
    assert next_terms(company)["title_en"] == "New credit terms"


@pytest.mark.parametrize("day", [TODAY, TODAY - dt.timedelta(days=1)])
def test_a_later_version_begins_tomorrow_at_the_earliest(company, day):
    """What was issued today names the version of today; it would name another one by the evening."""
    publish(company)
    with pytest.raises(Refused) as refused:
        publish(company, day)
    assert refused.value.where == "effective_from"


def test_the_first_version_does_not_begin_in_the_past(company):
    with pytest.raises(Refused, match="today or later"):
        publish(company, TODAY - dt.timedelta(days=1))


def test_two_versions_of_one_day_are_refused(company):
    publish(company, TOMORROW)
    with pytest.raises(Refused, match="already is a version") as refused:
        publish(company, TOMORROW)
    assert refused.value.where == "effective_from"
    assert CreditTerms.objects.count() == 1


@pytest.mark.parametrize("name", TEXTS)
def test_every_language_is_needed(company, name):
    with pytest.raises(Refused) as refused:
        publish(company, **{name: "  "})
    assert refused.value.where == name
    assert not CreditTerms.objects.exists()


def test_a_version_is_never_edited(company):
    terms = publish(company)
    for change in (lambda: CreditTerms.objects.update(text_en="other"), terms.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_shipped_text_says_the_same_things_in_every_language():
    shipped = shipped_terms()
    assert set(shipped) == set(TEXTS) and all(shipped.values())
    shapes = [[len(said) for _heading, said in sections_of(shipped[f"text_{code}"])] for code in ("en", "de", "fr")]
    assert shapes[0] == shapes[1] == shapes[2] and len(shapes[0]) == 9
    assert not any(char.isdigit() for name in TEXTS for char in shipped[name])  # every figure stands on the invoice


def test_the_admin_publishes_in_one_click_what_it_shows(admin, company):
    page = reverse("admin:policies_creditterms_publish", args=[company.pk])
    overview = reverse("admin:policies_creditterms_changelist")
    assert page in admin.get(overview).content.decode()
    shown = admin.get(page)
    assert "Read it before you publish it" in shown.content.decode()
    form = shown.context["form"]
    answer = admin.post(page, {name: form[name].value() for name in form.fields}, follow=True)
    terms = CreditTerms.objects.get()
    assert (terms.effective_from, terms.made_by) == (TODAY, "root")
    read = answer.content.decode()
    assert "In force today." in read and "Payment in advance" in read and "Vorauszahlung" in read
    assert "0 clients have accepted it." in read


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_published(admin, company):
    page = reverse("admin:policies_creditterms_publish", args=[company.pk])
    publish(company)
    answer = admin.post(page, shipped_terms() | {"effective_from": TODAY})
    assert "A later version begins tomorrow" in answer.content.decode()
    assert "effective_from" in answer.context["form"].errors
    assert CreditTerms.objects.count() == 1


def test_only_who_may_publishes(client, company, clerk):
    client.force_login(clerk)
    assert client.get(reverse("admin:policies_creditterms_publish", args=[company.pk])).status_code == 403
