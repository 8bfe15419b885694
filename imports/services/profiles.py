"""Profiles: a mapping kept under a name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from audit.services import record
from core.errors import Refused
from core.models import as_text
from imports.cells import Reading
from imports.models import ImportProfile


def save_profile(name: str, kind: str, reading: Reading, *, by: Any) -> ImportProfile:
    """Keep how a file was read under a name; the same name again is written anew. Refused for another kind of file."""
    name = name.strip()
    if not name or len(name) > 60:
        raise Refused("The name of a profile has 1 to 60 characters.", code="profile", where="profile")
    standing = ImportProfile.objects.filter(name=name).first()
    if standing is not None and standing.kind != kind:
        raise Refused(f"«{name}» is a profile for {standing.get_kind_display()}. Choose another name.", where="profile")
    facts: dict[str, Any] = {
        "kind": kind, "mapping": dict(reading.mapping), "date_format": reading.date_format,
        "options": {
            "currency": reading.currency, "decimal": reading.decimal, "round_half_up": reading.round_half_up,
        },
    }
    if standing is not None and all(getattr(standing, field) == value for field, value in facts.items()):
        return standing
    profile, _ = ImportProfile.objects.update_or_create(name=name, defaults={**facts, "saved_by": as_text(by)})
    record(by, "import_profile_saved", profile, summary=name)
    return profile


def reading_of(name: str, kind: str, given: Reading) -> Reading:
    """How to read a file by a profile; what is given beside it wins. Refused where there is none of that name."""
    profile = ImportProfile.objects.filter(name=name.strip(), kind=kind).first()
    if profile is None:
        names = ", ".join(ImportProfile.objects.filter(kind=kind).values_list("name", flat=True)) or "none yet"
        raise Refused(
            f"There is no profile «{name}». Give a mapping to save under this name; there are: {names}.",
            code="profile", where="profile",
        )
    kept = profile.options
    return replace(
        given,
        mapping={**profile.mapping, **given.mapping},
        date_format=given.date_format or profile.date_format,
        currency=given.currency or kept.get("currency", ""),
        decimal=kept.get("decimal", ".") if given.decimal == "." else given.decimal,
        round_half_up=given.round_half_up or kept.get("round_half_up", False),
    )
