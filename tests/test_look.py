"""Every page that opens without a number in its address, on a desk and on a telephone, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import URLPattern, get_resolver, reverse

from tests.browser import signed_in
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def desk_pages() -> list[str]:
    """The addresses of the dashboard that take no number and answer with a page."""
    patterns = get_resolver().reverse_dict  # fill the resolver
    assert patterns
    from dashboard import urls

    names = [p.name for p in urls.urlpatterns if isinstance(p, URLPattern) and not p.pattern.converters]
    return [reverse(f"dashboard:{name}") for name in names]


def test_the_doors_are_accessible(page):
    assert check(page, "/account/login/") + check(page, "/there-is-no-such-page/") == []


def test_a_wrong_password_is_said_in_words_and_focused(page):
    page.goto("/account/login/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "not the password")
    page.click("button[type=submit]")
    assert "correct username and password" in page.inner_text("[role=alert]")
    page.wait_for_function("document.activeElement.matches('[role=alert]')")


def test_dark_and_light_follow_the_system_until_somebody_chooses(page):
    look = "document.documentElement.dataset.bsTheme"
    page.emulate_media(color_scheme="dark")
    page.goto("/account/login/")
    assert page.evaluate(look) == "dark"
    page.evaluate("localStorage.setItem('theme', 'auto')")
    page.reload()
    assert page.evaluate(look) == "dark"
    page.evaluate("localStorage.setItem('theme', 'light')")
    page.reload()
    assert page.evaluate(look) == "light"


@pytest.fixture
def staff_page(page, live_server, client, clerk, company, good_client, late_client):
    return signed_in(page, live_server, client, clerk)


@pytest.mark.once
def test_every_page_of_the_desk_is_accessible_and_fits(staff_page, client):
    answers = {address: client.get(address) for address in desk_pages()}
    pages = [address for address, answer in answers.items() if is_page(answer)]
    found = [line for address in pages for line in check(staff_page, address)]
    assert not found, "\n".join(found)


def is_page(answer: Any) -> bool:
    """A whole page: not a file, not a part that a script fetches, not a verb that only listens to POST."""
    return answer.status_code == 200 and not answer.streaming and answer.content.lstrip().startswith(b"<!doctype html")
