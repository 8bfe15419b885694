"""record: the one way to say that somebody did something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.models import as_text

from .models import Event


def record(
    by: Any,
    action: str,
    obj: Any,
    *,
    client_id: int | None = None,
    doc: str = "",
    summary: str = "",
    diff: dict[str, Any] | None = None,
) -> Event:
    """Keep who did what to which object; call it inside the transaction of the act."""
    return Event.objects.create(**_row(by, action, obj, client_id=client_id, doc=doc, summary=summary, diff=diff))


def record_many(rows: Iterable[dict[str, Any]]) -> None:
    """Keep many acts of one sweep or import at once; each row has the arguments of ``record``."""
    Event.objects.bulk_create([Event(**_row(**row)) for row in rows], batch_size=500)


def _row(
    by: Any,
    action: str,
    obj: Any,
    *,
    client_id: int | None = None,
    doc: str = "",
    summary: str = "",
    diff: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "actor": as_text(by)[:150],
        "action": action,
        "object_type": obj._meta.label_lower,
        "object_id": str(obj.pk),
        "client_id": client_id,
        "doc": doc,
        "summary": summary[:300],
        "diff": diff or {},
    }
