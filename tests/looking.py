"""A page looked at as people see it: on a desk and on a telephone, in the light and in the dark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (requirements-dev.txt)")

SIZES = {"desk": (1440, 1000, "light"), "telephone": (390, 844, "dark")}
NIGHTLY = bool(os.environ.get("AR_NIGHTLY"))
if NIGHTLY:
    SIZES |= {"dark desk": (1440, 1000, "dark"), "light telephone": (390, 844, "light")}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# The rules run as they would; only what they object to is written out and sent here.
AXE = "async ([where, rules]) => (await axe.run(where || document, {...rules, resultTypes: ['violations']})).violations"
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => null)))"""
PICTURES = os.environ.get("AR_PICTURES", "")


def check(
    page: Any, address: str, *, sizes: Mapping[str, tuple[int, int, str]] = SIZES, rules: Any = RULES,
    context: str | None = None,
) -> list[str]:
    """What is wrong with the page of an address at every size: wider than the screen, or against a rule of axe.

    By day it is opened at the first size and then made smaller; by night it is opened at each.
    """
    found, opened = [], False
    for size in _sized(page, sizes):
        if not opened or NIGHTLY:
            page.goto(address)
        opened = True
        found += wrong(page, f"{address} {size}", rules=rules, context=context)
    return found


def seen(page: Any, name: str, *, context: str | None = "main") -> list[str]:
    """The same of the page that is open; kept as pictures where AR_PICTURES names a folder."""
    found = []
    for size in _sized(page, SIZES):
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{size}.png"), full_page=True)
        found += wrong(page, f"{name} {size}", context=context)
    return found


def wrong(page: Any, name: str, *, rules: Any = RULES, context: str | None = None) -> list[str]:
    """What is wrong with the page that is open, as it stands once no colour is half way to another."""
    page.evaluate(SETTLED)
    found = []
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{name}: wider than the screen")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.Axe().axe_script)
    for violation in page.evaluate(AXE, [context, rules]):
        where = violation["nodes"][0]
        found.append(f"{name}: {violation['id']} at {where['target']}: {where['failureSummary']}")
    return found


def _sized(page: Any, sizes: Mapping[str, tuple[int, int, str]]) -> Iterator[str]:
    for size, (width, height, scheme) in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        yield size
