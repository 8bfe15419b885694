"""Every page that opens without a number in its address, on a desk, in the dark and on a telephone."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import URLPattern, get_resolver, reverse

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (requirements-dev.txt)")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"desk": (1440, 1000, "light"), "dark": (1440, 1000, "dark"), "telephone": (390, 844, "light")}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def desk_pages() -> list[str]:
    """The addresses of the dashboard that take no number and answer with a page."""
    patterns = get_resolver().reverse_dict  # fill the resolver
    assert patterns
    from dashboard import urls

    names = [p.name for p in urls.urlpatterns if isinstance(p, URLPattern) and not p.pattern.converters]
    return [reverse(f"dashboard:{name}") for name in names]


def check(page: Any, address: str) -> list[str]:
    found = []
    for size, (width, height, scheme) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{address} {size}: wider than the screen")
        for violation in axe.Axe().run(page, options=RULES).response["violations"]:
            where = violation["nodes"][0]
            found.append(f"{address} {size}: {violation['id']} at {where['target']}: {where['failureSummary']}")
    return found


def test_the_doors_are_accessible(page):
    assert check(page, "/account/login/") + check(page, "/there-is-no-such-page/") == []


def test_a_wrong_password_is_said_in_words_and_focused(page):
    page.goto("/account/login/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "not the password")
    page.click("button[type=submit]")
    assert "correct username and password" in page.inner_text("[role=alert]")
    assert page.evaluate("document.activeElement.matches('[role=alert]')")


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
    client.force_login(clerk)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


@pytest.mark.once
def test_every_page_of_the_desk_is_accessible_and_fits(staff_page, client):
    answers = {address: client.get(address) for address in desk_pages()}
    pages = [address for address, answer in answers.items() if is_page(answer)]
    found = [line for address in pages for line in check(staff_page, address)]
    assert not found, "\n".join(found)


def is_page(answer: Any) -> bool:
    """A whole page: not a file, not a part that a script fetches, not a verb that only listens to POST."""
    return answer.status_code == 200 and not answer.streaming and answer.content.lstrip().startswith(b"<!doctype html")
