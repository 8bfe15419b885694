"""The page on which the words of reminders are written, in a browser: tried in place, and it fits a telephone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser import signed_in
from tests.cast import make_company, make_manager

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def test_words_are_tried_and_refused_on_the_page_and_fit_a_telephone(page: Any, client: Any, live_server: Any) -> None:
    make_company()
    page = signed_in(page, live_server, client, make_manager())
    page.goto("/admin/policies/steptext/write/")
    page.locator("#id_words").select_option("final_notice|formal")
    page.get_by_role("button", name="Show").click()
    text = page.locator("#id_text")
    expect(text).to_have_value(re.compile("This is our final notice"))
    text.fill("Hello {{ first_name }}, {{ total }} is open.")
    page.get_by_role("button", name="Preview").click()
    shown = page.frame_locator("iframe.mail")
    shown.locator("p", has_text=re.compile(r"Hello Mara, €1,868\.39 is open\.$")).wait_for()
    page.locator("#id_text").fill("We call the police.")
    page.get_by_role("button", name="Keep these words").click()
    page.get_by_text("“police” cannot be said").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
