"""The credit policy in the admin: read group by group, never edited, followed by a version that is checked."""

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from audit.models import Event
from core.roles import CLERK, MANAGER, give_role
from policies.credit import COPIED, credit_policy_of
from policies.models import CreditPolicy
from tests.cast import TODAY

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(days=1)


@pytest.fixture
def pages(client, company):
    """The pages of the company's credit policy, opened by somebody in a role: the policy, to read it, to follow it."""

    def opened(role):
        user = User.objects.create_user(role.split()[-1], password="correct horse battery", is_staff=True)
        give_role(user, role)
        client.force_login(user)
        policy = credit_policy_of(company, TODAY)
        following = reverse("admin:policies_creditpolicy_new_version", args=[policy.pk])
        return policy, reverse("admin:policies_creditpolicy_change", args=[policy.pk]), following

    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        yield opened


def posted(page, **other):
    """The page as it stands, ready to be sent."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False} | other


def text(answer):
    return answer.content.decode()


def test_a_version_is_read_in_words(client, pages):
    policy, read, following = pages(CLERK)
    page = text(client.get(read))
    for words in ("In force today", "EUR 5000", "Insolvency</th><td>decline", "At once", "Cash-only from days overdue"):
        assert words.lower() in page.lower(), words
    assert "New version from this" not in page
    assert client.get(following).status_code == 403
    client.post(read, {"accept_score": "1"})
    policy.refresh_from_db()
    assert policy.accept_score == 70
    assert client.get(reverse("admin:policies_creditpolicy_changelist")).status_code == 200


def test_sent_as_it_stands_the_next_version_says_the_same(client, pages, company):
    policy, read, following = pages(MANAGER)
    assert "New version from this" in text(client.get(read))
    assert client.post(following, posted(client.get(following))).status_code == 302
    later = credit_policy_of(company, TOMORROW)
    assert later != policy and credit_policy_of(company, TODAY) == policy
    assert [getattr(later, name) for name in COPIED] == [getattr(policy, name) for name in COPIED]


def test_a_changed_version_is_in_force_from_its_day(client, pages, company):
    _policy, _read, following = pages(MANAGER)
    changed = posted(
        client.get(following), starting_limit="EUR 2500, JPY 300000", flag_young_company="accept", review_high="14",
        lifts="after_review", counts_drafts="on",
    )  # fmt: skip
    assert client.post(following, changed, follow=True).status_code == 200
    later = credit_policy_of(company, TOMORROW)
    assert later.starting_limit == {"EUR": "2500", "JPY": "300000"}
    assert (later.flag_outcomes["young_company"], later.review_days["high"]) == ("accept", 14)
    assert (later.lifts, later.counts_drafts, later.made_by) == ("after_review", True, "manager")
    assert Event.objects.filter(action="credit_policy_version_made", actor="manager").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"effective_from": TODAY.isoformat()}, "tomorrow at the earliest"),
        ({"starting_limit": "much"}, "is not a currency and a sum"),
        ({"starting_limit": "JPY 0.5"}, "is not a currency and a sum of zero or more"),
        ({"accept_score": "30"}, "must fall from accept"),
        ({"review_low": "0"}, "greater than or equal to 1"),
        ({"cut_on_time": "95"}, "grow and shrink at once"),
        ({"flag_insolvency": "hope"}, "Select a valid choice"),
    ],
)
def test_what_contradicts_itself_is_refused_and_nothing_is_made(client, pages, wrong, words):
    _policy, _read, following = pages(MANAGER)
    answer = client.post(following, posted(client.get(following), **wrong))
    assert words in text(answer) and "Nothing is saved yet" in text(answer)
    assert CreditPolicy.objects.count() == 1
