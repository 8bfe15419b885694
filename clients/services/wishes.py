"""What would help the client's office pay faster: asked on their page, kept on the file, honoured on every invoice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.file_types import checked_type, clean_name
from clients.models import Client, Wishes
from core.errors import Refused
from core.models import as_text
from core.services import store_file

from .locking import lock_client

MOST_FIELDS, LONGEST_LABEL, LONGEST_VALUE = 8, 40, 120
LONGEST = {"cover_text": 500, "note": 1000}


def save_wishes(
    client: Client, facts: Mapping[str, Any], form: tuple[str, bytes] | None = None, *, on: dt.date, by: Any,
    version: int | None = None,
) -> Wishes:
    """Keep what a client's office asks of our invoices; what is not in ``facts`` stays as it was.

    ``facts``: ``po_required`` (an order number on every invoice), ``extra_fields`` (label and value, a value may be
    empty: it is then asked for at each invoice), ``cover_page``, ``cover_text``, ``note``. ``form`` is the name and the
    bytes of a form of their own. ``version`` is the one the person saw. Refused: too many or nameless fields, words
    that are too long, a file that is not kept.
    """
    fields = _checked_fields(facts["extra_fields"]) if "extra_fields" in facts else None
    for name, most in LONGEST.items():
        if len(str(facts.get(name, "")).strip()) > most:
            raise Refused(f"At most {most} characters fit here.", code="range", where=name)
    media = checked_type(*form) if form is not None else ""
    with transaction.atomic():
        lock_client(client.pk)
        client = Client.objects.get(pk=client.pk)
        wishes = Wishes.objects.filter(client=client).first() or Wishes(client=client, version=0)
        if version is not None and wishes.version not in (0, version):
            raise Refused(
                "Somebody else changed these wishes meanwhile; load the page again.", code="changed_meanwhile"
            )
        before = _said(wishes, client)
        if fields is not None:
            wishes.extra_fields = fields
        wishes.cover_page = bool(facts.get("cover_page", wishes.cover_page))
        for name in LONGEST:
            setattr(wishes, name, str(facts.get(name, getattr(wishes, name))).strip())
        if form is not None:
            wishes.own_form, wishes.own_form_name = store_file(form[1], media), clean_name(form[0])
        if "po_required" in facts:
            client.po_required = bool(facts["po_required"])
        changed = {name: value for name, value in _said(wishes, client).items() if value != before[name]}
        if not changed and wishes.pk is not None:
            return wishes
        wishes.told_by, wishes.told_at, wishes.version = as_text(by)[:150], timezone.now(), wishes.version + 1
        wishes.save()
        if "po_required" in changed:
            client.version += 1
            client.save(update_fields=["po_required", "version"])
        record(by, "wishes_told", client, client_id=client.pk, diff={**changed, "on": on.isoformat()})
    return wishes


def remove_own_form(client: Client, *, by: Any) -> None:
    """The client no longer asks for a form of its own. A second time changes nothing."""
    with transaction.atomic():
        lock_client(client.pk)
        wishes = Wishes.objects.filter(client=client, own_form__isnull=False).first()
        if wishes is None:
            return
        name, wishes.own_form, wishes.own_form_name, wishes.version = wishes.own_form_name, None, "", wishes.version + 1
        wishes.save(update_fields=["own_form", "own_form_name", "version"])
        record(by, "own_form_removed", client, client_id=client.pk, summary=name)


def _said(wishes: Wishes, client: Client) -> dict[str, Any]:
    return {
        "extra_fields": wishes.extra_fields, "cover_page": wishes.cover_page, "cover_text": wishes.cover_text,
        "note": wishes.note, "own_form": wishes.own_form_name, "form_sha256": str(wishes.own_form or ""),
        "po_required": client.po_required,
    }  # fmt: skip


def _checked_fields(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    kept = [{"label": str(f.get("label", "")).strip(), "value": str(f.get("value", "")).strip()} for f in fields]
    kept = [field for field in kept if field["label"] or field["value"]]
    if len(kept) > MOST_FIELDS:
        raise Refused(f"At most {MOST_FIELDS} fields fit on an invoice.", code="range", where="extra_fields")
    for field in kept:
        if not field["label"]:
            raise Refused(f"Say what «{field['value'][:40]}» is: the field has no name.", where="extra_fields")
        if len(field["label"]) > LONGEST_LABEL or len(field["value"]) > LONGEST_VALUE:
            raise Refused(
                f"A field has at most {LONGEST_LABEL} characters as its name and {LONGEST_VALUE} as its value.",
                code="range", where="extra_fields",
            )  # fmt: skip
    if len({field["label"].casefold() for field in kept}) < len(kept):
        raise Refused("Two fields have the same name; give each its own.", code="twice", where="extra_fields")
    return kept
