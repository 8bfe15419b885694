"""The pages of rules and rates in a browser: accessible, in the dark and on a telephone, and a missing rate entered."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from core.services import today
from policies.models import Policy, ReferenceRate
from policies.services import add_interest_rule, add_rate
from tests.browser import signed_in
from tests.cast import make_manager
from tests.looking import PICTURES, RULES, SIZES, check

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

# Otherwise axe writes the admin's stylesheets into the page, which the CSP refuses.
WITHOUT_LOADING = {**RULES, "preload": False}


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, company: Any) -> Any:
    user = make_manager()
    user.is_superuser = True
    user.save()
    Policy.objects.create(name="german", effective_from=today(company), interest="DE-B2B")
    return signed_in(page, live_server, client, user)


def test_the_pages_are_accessible_and_fit(desk, company):
    year = today(company).year
    rate = add_rate("boe_reference", from_on=dt.date(year, 1, 1), valid_through=dt.date(year, 12, 31),
                    percent=Decimal("3.75"), source="Bank of England, 18 December", by="Ada")  # fmt: skip
    rule = add_interest_rule(
        "NO", effective_from=dt.date(2020, 1, 1), on=today(company), by="Ada",
        values={"title": "Norway", "series": "norges_bank", "margin": Decimal(8), "source": "Forsinkelsesrenteloven"},
    )  # fmt: skip
    places = [
        *(reverse(f"admin:policies_{name}") for name in (
            "referencerate_changelist", "referencerate_add", "interestrule_changelist", "interestrule_add"
        )),
        reverse("admin:policies_referencerate_change", args=[rate.pk]),
        reverse("admin:policies_interestrule_change", args=[rule.pk]),
        reverse("admin:policies_interestrule_shipped", args=["UK"]),
    ]  # fmt: skip
    if PICTURES:
        for n, place in enumerate(places):
            for size, (width, height, scheme) in SIZES.items():
                desk.set_viewport_size({"width": width, "height": height})
                desk.emulate_media(color_scheme=scheme)
                desk.goto(place)
                desk.screenshot(path=f"{PICTURES}/interest-{n}-{size}.png", full_page=True)
    found = [line for place in places for line in check(desk, place, context="#content", rules=WITHOUT_LOADING)]
    assert not found, "\n".join(found)


def test_from_the_sentence_about_a_missing_rate_to_the_rate_by_keyboard(desk, company):
    desk.goto(reverse("admin:policies_referencerate_changelist"))
    desk.get_by_role("link", name="Enter it, with its source").press("Enter")
    desk.get_by_label("Percent a year").fill("1.27")
    desk.get_by_label("Source").fill("Bundesbank")
    desk.get_by_role("button", name="Enter this rate").press("Enter")
    desk.get_by_text("A second person compares it with its source.", exact=False).first.wait_for()
    assert desk.get_by_text("There is no rate of").count() == 0
    rate = ReferenceRate.objects.get()
    assert (rate.series, rate.percent, rate.covers(today(company))) == ("de_basiszins", Decimal("1.27"), True)
