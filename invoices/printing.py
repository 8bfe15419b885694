"""Who prints: the worker. A request leaves an order, looks for what was printed, and otherwise says that it will come.

Documents of a row are kept with the row; statements, letters and the like lie for a day under the hash of their words.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation

from core.doorbell import ring
from core.models import StoredFile

log = logging.getLogger(__name__)

PRINT_ORDER, PRINT_ROW = "invoices.print_order", "invoices.print_row"
PATIENCE = 2.0  # seconds a request waits; a worker that is there needs a fifth of one
LOOK_EVERY = 0.05
KEPT = dt.timedelta(days=1)
AHEAD = dt.timedelta(days=2)  # what is issued within these days is printed before anybody asks; older things when asked

_in_request: ContextVar[bool] = ContextVar("in_request", default=False)


class CouldNotPrint(Exception):
    """The document was not printed; the message says why. Trying again is safe."""


class BeingPrepared(Exception):
    """The document is ordered and not there yet; whoever asked in a request looks again in a moment."""

    def __init__(self) -> None:
        super().__init__("The document is being prepared.")
        self.language = translation.get_language() or "en"


@dataclass(frozen=True)
class Printable:
    """A kind of row with a document: how it is printed and kept, and which rows of late still wait for it."""

    print: Callable[[Any], StoredFile]
    waiting: Callable[[dt.date], QuerySet[Any]]


_printables: dict[str, Printable] = {}


def register(label: str, printable: Printable) -> None:
    """Make the documents of a model known, such as "invoices.invoice"; registering it again replaces it."""
    _printables[label] = printable


@contextmanager
def request_going_on(going_on: bool = True) -> Iterator[None]:
    """Within it nothing is printed, only ordered; ``False`` is for a worker that stands in the same process."""
    before = _in_request.set(going_on)
    try:
        yield
    finally:
        _in_request.reset(before)


def in_request() -> bool:
    """Whether somebody waits for an answer, so that printing is the worker's."""
    return _in_request.get()


def ordered(html: str, *, accent: str, design: str, xml: bytes, day: dt.date | None) -> bytes:
    """The PDF of these words, which a worker prints. BeingPrepared while it has not; CouldNotPrint where it cannot."""
    order = json.dumps({
        "html": html, "accent": accent, "design": design, "xml": base64.b64encode(xml).decode(),
        "day": day.isoformat() if day else None,
    })  # fmt: skip
    key = hashlib.sha256(order.encode()).hexdigest()
    printed = _place(key, "pdf")
    if not printed.exists():
        _write(_place(key, "json"), order.encode())
        ring(PRINT_ORDER, key)
        _wait_for(printed.exists, key)
    return printed.read_bytes()


def await_row(row: Any) -> None:
    """Have a worker print the document of a row. BeingPrepared while it has not; CouldNotPrint where it cannot."""
    label = row._meta.label_lower
    ring(PRINT_ROW, label, row.pk)

    def is_kept() -> bool:
        row.refresh_from_db(fields=["pdf"])
        return row.pdf_id is not None

    _wait_for(is_kept, f"{label}-{row.pk}")


def print_order(key: str) -> None:
    """Print what was ordered under a key and leave it there; an order that was carried out is left alone."""
    from .pdf import print_html

    place = _place(key, "json")
    try:
        order = json.loads(place.read_bytes())
    except FileNotFoundError:
        return
    day = dt.date.fromisoformat(order["day"]) if order["day"] else None
    with _telling(key):
        content = print_html(
            order["html"], accent=order["accent"], design=order["design"], xml=base64.b64decode(order["xml"]), day=day
        )
        _write(_place(key, "pdf"), content)
    place.unlink(missing_ok=True)


def print_row(label: str, pk: int) -> None:
    """Print and keep the document of a row; printed already, it is left alone."""
    row = apps.get_model(label)._default_manager.filter(pk=pk).first()
    if row is not None and row.pdf_id is None:
        with _telling(f"{label}-{pk}"):
            _printables[label].print(row)


def print_what_waits(on: dt.date, stop: Callable[[], bool]) -> dict[str, int]:
    """Print the orders nobody heard of and the documents of the last days, until told to stop; throw old prints away.

    Answers how many of which kind. What breaks the printing is logged and keeps nothing else from being printed.
    """
    done = {"orders": 0}
    _forget(time.time() - KEPT.total_seconds())
    for place in sorted(_folder().glob("*.json")):
        if stop():
            return done
        done["orders"] += _tried(print_order, place.stem)
    for label, printable in _printables.items():
        for pk in list(printable.waiting(on - AHEAD).values_list("pk", flat=True)[:200]):
            if stop():
                return done
            done[label] = done.get(label, 0) + _tried(print_row, label, pk)
    return done


def _tried(print_it: Callable[..., None], *what: Any) -> bool:
    try:
        print_it(*what)
    except Exception:
        log.exception("printing %s broke", what)
        return False
    return True


def _wait_for(is_there: Callable[[], bool], key: str) -> None:
    until = time.monotonic() + PATIENCE
    failed = _place(key, "failed")
    while not is_there():
        if failed.exists():
            why = failed.read_text()
            failed.unlink(missing_ok=True)
            raise CouldNotPrint(why)
        if time.monotonic() >= until:
            raise BeingPrepared
        time.sleep(LOOK_EVERY)


@contextmanager
def _telling(key: str) -> Iterator[None]:
    """Whoever waits for it hears why it could not be printed; the order is not tried again by itself."""
    try:
        yield
    except CouldNotPrint as why:
        log.warning("%s could not be printed: %s", key, why)
        _write(_place(key, "failed"), str(why).encode())


def _forget(before: float) -> None:
    for place in _folder().iterdir():
        if place.stat().st_mtime < before:
            place.unlink(missing_ok=True)


def _folder() -> Path:
    folder = Path(settings.MEDIA_ROOT) / "prints"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _place(key: str, ending: str) -> Path:
    return _folder() / f"{key}.{ending}"


def _write(place: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=place.parent.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, place)
