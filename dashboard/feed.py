"""Happenings as the entries of a feed: an icon each, and the page they open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from reports.timeline import Happening

ICONS = {
    "call": "phone-call", "conversation": "message", "note": "note", "mail": "mail", "invoice": "file-invoice",
    "payment": "cash-banknote", "charge": "percentage", "extension": "calendar-check",
    "promise": "calendar-check", "pause": "player-pause",
    "dispute": "message-exclamation", "stage": "flag", "task": "list-check", "view": "eye", "import": "upload",
    "check": "clipboard-list", "decision": "scale", "limit": "credit-card", "status": "flag",
    "exception": "shield-lock", "mark": "alert-triangle", "terms": "shield-check", "document": "paperclip",
    "greeting": "star", "work": "calculator", "credit_note": "receipt", "data": "pencil",
}  # fmt: skip
PAGES = {
    "client": "client", "client_credit": "client_credit", "client_about": "client_about", "invoice": "invoice",
    "payment": "payment", "message": "outbox_message", "pro_forma": "pro_forma",
    "credit_note": "credit_note",
}  # fmt: skip


def entries(happenings: Iterable[Happening], *, named: bool = True) -> list[dict[str, Any]]:
    """What components/feed.html shows; ``named`` puts the client's name before each, linked to what happened.

    Without names it is the file of one client: each stands on its business date instead of «an hour ago».
    """
    return [
        {
            "icon": ICONS[one.kind], "tone": one.tone, "subject": one.client_name if named else "",
            "url": url_of(one), "text": one.text, "quote": one.quote, "note": one.note, "at": one.at, "kind": one.kind,
            "on": None if named else one.on,
        }
        for one in happenings
    ]  # fmt: skip


def url_of(one: Happening) -> str:
    """The page of what happened; empty where it has none."""
    if one.target is None:
        return reverse("dashboard:imports") if one.kind == "import" else ""
    page, pk = one.target
    return reverse(f"dashboard:{PAGES[page]}", args=[pk])
