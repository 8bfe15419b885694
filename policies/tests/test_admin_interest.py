"""Rules of late interest and reference rates in the admin: read in words, entered with a source, never edited."""

import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qs, urlparse

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from core.roles import CLERK, MANAGER, give_role
from policies.interest import RULES
from policies.interest_words import rule_words
from policies.models import InterestRule, Policy, ReferenceRate
from policies.services import add_rate, check_rate, rule_of, withdraw_rate
from tests.cast import TODAY

pytestmark = pytest.mark.django_db
RATES = reverse("admin:policies_referencerate_changelist")
NEW_RATE = reverse("admin:policies_referencerate_add")
RULES_PAGE = reverse("admin:policies_interestrule_changelist")
NEW_RULE = reverse("admin:policies_interestrule_add")
ROW = {"series": "ecb_mro_reference", "from_on": "2026-07-01", "valid_through": "2026-12-31", "percent": "2.40",
       "source": "ECB, 11 June 2026"}  # fmt: skip


@pytest.fixture
def somebody(client, company):
    """Somebody in a role, a manager unless told otherwise, who opens the admin."""

    def opened(name="vera", *, may=MANAGER):
        user = User.objects.create_user(name, password="correct horse battery", is_staff=True)
        give_role(user, may)
        client.force_login(user)
        return client

    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        yield opened


def text(answer):
    return answer.content.decode()


def posted(page, **other):
    """The page as it stands, ready to be sent, with what is written differently."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    fields = form.fields
    shown = {name: fields[name].prepare_value(value) for name, value in values.items()}
    return {name: value for name, value in shown.items() if value is not None and value is not False} | other


# ── Rates ───────────────────────────────────────────────────────────────


def test_a_rate_is_entered_on_a_page_and_listed_as_not_yet_checked(somebody):
    client = somebody()
    page = client.post(NEW_RATE, ROW, follow=True)
    assert "is entered. A second person" in text(page)
    rate = ReferenceRate.objects.get()
    assert (rate.percent, rate.entered_by) == (Decimal("2.40"), "vera")
    assert "not yet" in text(page) and ">2.4<" in text(page)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"source": " "}, "This field is required"),
        ({"percent": "two"}, "Enter a number"),
        ({"percent": "2.12345"}, "at most four decimals"),
        ({"valid_through": "2026-06-30"}, "before it begins"),
        ({"from_on": "2026-12-31", "valid_through": "2027-06-30"}, "Withdraw that row first"),
        ({"series": "ECB rate"}, "small letters"),
    ],
)
def test_a_row_that_cannot_stand_is_refused_beside_its_field_and_nothing_is_saved(somebody, wrong, words):
    client = somebody()
    client.post(NEW_RATE, ROW)
    other = {**ROW, "from_on": "2027-01-01", "valid_through": "2027-06-30"}
    answer = text(client.post(NEW_RATE, {**other, **wrong}))
    assert words in answer and "Nothing is saved yet" in answer
    assert ReferenceRate.objects.count() == 1


def test_a_second_person_checks_a_rate_and_the_one_who_entered_it_cannot(somebody):
    client = somebody("vera")
    client.post(NEW_RATE, ROW)
    page = reverse("admin:policies_referencerate_change", args=[ReferenceRate.objects.get().pk])
    assert "I compared it" not in text(client.get(page)) and "somebody else compares it" in text(client.get(page))
    assert "a second person checks it" in text(client.post(page, {"check": "1"}, follow=True))
    assert ReferenceRate.objects.get().checked_by == ""
    client = somebody("ben")
    assert "I compared it" in text(client.get(page))
    assert "Checked" in text(client.post(page, {"check": "1"}, follow=True))
    assert ReferenceRate.objects.get().checked_by == "ben"
    assert "I compared it" not in text(client.get(page))


def test_a_rate_is_withdrawn_for_a_reason_and_its_page_says_so(somebody):
    client = somebody()
    client.post(NEW_RATE, ROW)
    page = reverse("admin:policies_referencerate_change", args=[ReferenceRate.objects.get().pk])
    assert "Write why this rate is withdrawn" in text(client.post(page, {"withdraw": "1", "reason": ""}))
    answer = text(client.post(page, {"withdraw": "1", "reason": "a slip of the pen"}, follow=True))
    assert "Withdrawn by vera" in answer and "a slip of the pen" in answer
    assert ReferenceRate.objects.standing().count() == 0
    assert "Withdraw this rate" not in answer


def test_who_may_only_look_changes_nothing(somebody):
    add_rate("boe_reference", from_on=dt.date(2026, 1, 1), valid_through=dt.date(2026, 6, 30), percent=Decimal("3.75"),
             source="x", by="test")  # fmt: skip
    client = somebody(may=CLERK)
    page = reverse("admin:policies_referencerate_change", args=[ReferenceRate.objects.get().pk])
    assert "3.75" in text(client.get(page)) and "Withdraw this rate" not in text(client.get(page))
    assert client.post(page, {"withdraw": "1", "reason": "x"}).status_code == 403
    assert client.get(NEW_RATE).status_code == client.get(NEW_RULE).status_code == 403
    assert ReferenceRate.objects.standing().count() == 1


def test_a_missing_half_year_is_asked_for_with_the_form_filled_in(somebody):
    client = somebody()
    assert "There is no rate of" not in text(client.get(RATES))
    Policy.objects.create(name="german", effective_from=TODAY, interest="DE-B2B")
    page = text(client.get(RATES))
    assert "There is no rate of “de_basiszins” for 2026-H2, and the policy german" in page
    assert "There is no rate of “de_basiszins”" in text(client.get(RULES_PAGE))
    pages = [reverse("admin:policies_policy_change", args=[policy.pk]) for policy in Policy.objects.order_by("name")]
    assert ["There is no rate of “de_basiszins”" in text(client.get(page)) for page in pages] == [True, False]
    link = page.split('class="warning"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert urlparse(link).path == NEW_RATE
    assert parse_qs(urlparse(link).query) == {
        "series": ["de_basiszins"], "from_on": ["2026-07-01"], "valid_through": ["2026-12-31"],
    }  # fmt: skip
    filled = posted(client.get(link), percent="1.27", source="Bundesbank")
    assert client.post(NEW_RATE, filled).status_code == 302
    assert "There is no rate of" not in text(client.get(RATES))


def test_the_list_shows_what_is_still_to_be_checked(somebody):
    client = somebody()
    client.post(NEW_RATE, ROW)
    found = {state: text(client.get(RATES, {"state": state})) for state in ("unchecked", "checked", "withdrawn")}
    assert ["ECB, 11 June 2026" in page for page in found.values()] == [True, False, False]
    rate = ReferenceRate.objects.get()
    withdraw_rate(check_rate(rate, by="ben"), reason="wrong", by="ben")
    found = {state: text(client.get(RATES, {"state": state})) for state in found}
    assert ["ECB, 11 June 2026" in page for page in found.values()] == [False, False, True]


def test_the_page_of_a_policy_says_what_its_rule_asks_of_a_person(somebody):
    client = somebody()
    french = Policy.objects.create(name="french", effective_from=TODAY, interest="FR")
    page = text(client.get(reverse("admin:policies_policy_change", args=[french.pk])))
    assert "ECB reference rate + 10 points" in page and "must be printed on the invoice" in page


# ── Rules ───────────────────────────────────────────────────────────────


def test_every_rule_in_force_is_listed_with_its_rate_of_today(somebody):
    client = somebody()
    client.post(NEW_RATE, ROW)
    page = text(client.get(RULES_PAGE))
    for words in ("10.4 % (2.4 + 8)", "12.4 % (2.4 + 10)", "10.5 % (2.5 + 8)", "no rate of de_basiszins is entered",
                  "as printed in the terms", "comes with AR Ledger"):  # fmt: skip
        assert words in page, words
    for code in RULES:
        shipped = client.get(reverse("admin:policies_interestrule_shipped", args=[code]))
        assert RULES[code].source.split(";")[0] in text(shipped).replace("&#x27;", "'")
    assert client.get(reverse("admin:policies_interestrule_shipped", args=["NO"])).status_code == 404


def test_a_shipped_rule_is_followed_by_a_version_that_says_the_same_until_it_is_changed(somebody):
    client = somebody()
    page = client.get(NEW_RULE, {"follow": "UK"})
    made = client.post(NEW_RULE + "?follow=UK", posted(page), follow=True)
    assert "has a version from 2026-11-19" in text(made) and "No rate of “boe" not in text(made)
    later = rule_of("UK", TODAY + dt.timedelta(1))
    said = [words for label, words in rule_words(later) if label != "Note"]
    assert said == [words for label, words in rule_words(RULES["UK"]) if label != "Note"]
    shipped = text(client.get(reverse("admin:policies_interestrule_shipped", args=["UK"])))
    assert "Replaced from 2026-11-19 on." in shipped


def test_a_rule_of_another_country_is_made_and_warned_about_while_it_has_no_rate(somebody):
    client = somebody()
    new = {
        "code": "no", "effective_from": "2020-01-01", "title": "Norway", "country": "NO", "for_consumers": "no",
        "source": "Forsinkelsesrenteloven", "series": "norges_bank", "margin": "8", "starts_days": "0",
        "compensation": "40 from 0, 70 from 1000", "compensation_currency": "NOK", "grace_days": "0",
    }  # fmt: skip
    answer = text(client.post(NEW_RULE, posted(client.get(NEW_RULE), **new), follow=True))
    assert "No rate of «norges_bank» is entered yet" in answer
    rule = rule_of("NO", TODAY)
    assert (rule.margin, rule.for_consumers, rule.charges) == (8, False, True)
    assert rule.compensation == ((0, 40), (1000, 70))
    assert "NOK 40, 70 from a claim of 1000" in answer


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"percent": "9"}, "not both"),
        ({"effective_from": TODAY.isoformat()}, "tomorrow at the earliest"),
        ({"compensation": "70 from 1000, 40 from 0"}, "tiers must ascend"),
        ({"compensation": "a lot"}, "is not a sum and a size"),
        ({"compensation_currency": ""}, "both its sums and their currency"),
        ({"source": ""}, "This field is required"),
        ({"country": "Germany"}, "at most 2 characters"),
        ({"country": "de"}, "two capitals"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_and_nothing_is_made(somebody, wrong, words):
    client = somebody()
    page = client.get(NEW_RULE, {"follow": "DE-B2B"})
    answer = text(client.post(NEW_RULE, posted(page, **wrong)))
    assert words in answer and "Nothing is saved yet" in answer
    assert not InterestRule.objects.exists()
