"""A page with something wrong is seen to be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.looking import seen, wrong

pytestmark = pytest.mark.browser

PAGE = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{}</main>"


def test_what_is_wrong_is_named_at_every_size_and_only_where_one_looks(browser: Any) -> None:
    page = browser.new_page()
    try:
        page.set_content(PAGE.format("<p>All is well.</p>"))
        assert seen(page, "good") == []
        page.set_content(PAGE.format("<p id=here>All is well here.</p><img src=data:,><p style=width:1000px>Wide"))
        found = seen(page, "bad")
        assert [line.partition(" at ")[0] for line in found] == [
            "bad desk: image-alt", "bad telephone: wider than the screen", "bad telephone: image-alt",
        ]  # fmt: skip
        assert "does not have an alt attribute" in found[0]
        page.set_viewport_size({"width": 1440, "height": 900})
        assert wrong(page, "here", context="#here") == []
    finally:
        page.close()
