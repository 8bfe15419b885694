"""The day of each choice of a policy, kept as a fact; the present choice stays where queries find it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q

from core.models import as_text
from policies.choices import Change, History, Subject
from policies.models import CompanyPolicy, PolicyChoice, Segment
from policies.precedence import Where

_COLUMNS = ("where", "subject", "from_on", "before", "name", "chosen_by", "segment_before", "segment")


def keep_choice(
    where: Where, subject: int, company: int, *, before: str, name: str, on: dt.date, by: Any,
    client: int | None = None, segments: tuple[int | None, int | None] = (None, None),
) -> PolicyChoice | None:
    """Keep that another policy, or for a client another segment (before, now), is chosen from a day on.

    None where nothing is another. Never from a day before that of the last choice in the same place.
    """
    if before == name and segments[0] == segments[1]:
        return None
    last = PolicyChoice.objects.filter(where=where, subject=subject).last()
    return PolicyChoice.objects.create(
        where=where, subject=subject, company_id=company, client=client, before=before, name=name,
        segment_before=segments[0], segment=segments[1], from_on=max(on, last.from_on) if last else on,
        chosen_by=as_text(by)[:150],
    )


def segment_goes(segment: Segment, members: Iterable[tuple[int, str]], *, on: dt.date, by: Any) -> None:
    """Keep that the clients of a segment (id, and the policy of their own) are in none from a day on."""
    with transaction.atomic():
        for client, name in members:
            keep_choice(
                "client", client, segment.company_id, before=name, name=name, on=on, by=by, client=client,
                segments=(segment.pk, None),
            )
        keep_choice("segment", segment.pk, segment.company_id, before=segment.policy_name, name="", on=on, by=by)


def history_of(company: int, client: int | None = None) -> dict[tuple[Where, int], list[Change]]:
    """What was chosen anew in a company: all of it, or what one of its clients may be touched by; in its order."""
    rows = PolicyChoice.objects.filter(company=company)
    if client is not None:
        rows = rows.filter(Q(client=None) | Q(client=client))
    found: dict[tuple[Where, int], list[Change]] = defaultdict(list)
    for row in rows.order_by("id").values_list(*_COLUMNS):
        change = Change._make(row)
        found[change.where, change.subject].append(change)
    return dict(found)


def segments_in(history: History, company: int) -> Mapping[int, str]:
    """The present names of the segments of a company, where clients changed theirs; nothing is asked where none did."""
    moved = any(change.segment_before != change.segment for some in history.values() for change in some)
    return dict(Segment.objects.filter(company=company).values_list("pk", "policy_name")) if moved else {}


def company_s_policy(company: int) -> str:
    """The name of the policy a company uses; empty where it has none."""
    return CompanyPolicy.objects.filter(company=company).values_list("name", flat=True).first() or ""


def subject_of(client: Any, invoice: int, invoice_s: str, company_s: str) -> Subject:
    """What ``policies_by_day`` asks of an invoice of a client; with no invoice yet, of the client."""
    segment_s = client.segment.policy_name if client.segment_id and client.segment else ""
    return Subject(
        client.company_id, client.pk, client.segment_id, invoice, company_s, segment_s, client.policy_name, invoice_s
    )


def subject_of_all(company: int, company_s: str, segment: Segment | None = None) -> Subject:
    """The same of any client of a company, or of a segment, for which nobody chose."""
    pk, segment_s = (segment.pk, segment.policy_name) if segment else (None, "")
    return Subject(company, 0, pk, 0, company_s, segment_s, "", "")
