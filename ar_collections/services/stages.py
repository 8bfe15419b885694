"""Where a client stands in the escalation; the latest row is the stage, every move has a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from itertools import takewhile
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from ar_collections.models import StageChange
from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.models import Company, as_text

from .deciding import owing

CURRENT = "current"
LEGAL = frozenset(
    {
        ("current", "reminded"), ("current", "called"), ("current", "compromise"), ("current", "final_notice"),
        ("reminded", "called"), ("reminded", "compromise"), ("reminded", "final_notice"), ("reminded", "current"),
        ("called", "compromise"), ("called", "final_notice"), ("called", "current"),
        ("compromise", "called"), ("compromise", "final_notice"), ("compromise", "current"),
        ("final_notice", "compromise"), ("final_notice", "handed_over"), ("final_notice", "current"),
        ("handed_over", "closed"), ("handed_over", "current"),
        ("closed", "current"),
    }
)  # fmt: skip
_AHEAD = ["current", "reminded", "called", "compromise", "final_notice", "handed_over", "closed"]


def legal_moves(now: str) -> list[str]:
    """Where a client at a stage can move to, in the order of the escalation."""
    return [to for to in _AHEAD if (now, to) in LEGAL]


def stage_of(client: Client) -> str:
    """The stage a client is at; «current» where nothing was ever chased."""
    latest = StageChange.objects.filter(client=client).values_list("stage_to", flat=True).first()
    return latest or CURRENT


def move_stage(client: Client, to: str, *, because: str, on: dt.date, by: Any) -> StageChange | None:
    """Move a client to a stage; nothing where it is there already. Refused for a move that is not on the map."""
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        now = stage_of(client)
        if now == to:
            return None
        if (now, to) not in LEGAL:
            names = dict(StageChange.STAGES)
            raise Refused(
                _("A client at “%(now)s” cannot move to “%(to)s”.") % {"now": names.get(now), "to": names.get(to, to)},
                code="illegal_move", where="stage",
            )
        change = StageChange.objects.create(
            client=client, stage_from=now, stage_to=to, because=because[:300], changed_on=on,
            changed_by=as_text(by)[:150],
        )
        record(by, "stage_moved", change, client_id=client.pk, summary=f"{now} → {to}: {because}")
    return change


def escalate(client: Client, to: str, *, because: str, on: dt.date, by: Any) -> StageChange | None:
    """What a step of the ladder does to the stage: forward where the map allows it, never back."""
    now = stage_of(client)
    if (now, to) not in LEGAL or _AHEAD.index(to) <= _AHEAD.index(now):
        return None
    return move_stage(client, to, because=because, on=on, by=by)


def take_back_escalation(
    client: Client, of: Collection[str], *, moved_on: dt.date, because: str, on: dt.date
) -> StageChange | None:
    """The message that moved a client on came back: it stands where it stood before, unless it was moved since.

    ``of`` are the reasons its moves were given on ``moved_on``: two of its steps may have moved it one after the other.
    """
    reasons = {reason[:300] for reason in of}
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        changes = list(StageChange.objects.filter(client=client, changed_on__gte=moved_on))  # the latest first
        moves = list(takewhile(lambda one: one.because in reasons and one.changed_on == moved_on, changes))
        if not moves:
            return None
        now, before = moves[0].stage_to, moves[-1].stage_from
        change = StageChange.objects.create(
            client=client, stage_from=now, stage_to=before, because=because[:300], changed_on=on, changed_by="system",
        )
        record("system", "stage_moved", change, client_id=client.pk, summary=f"{now} → {before}: {because}")
    return change


def settle_stages(company: Company, on: dt.date, by: Any) -> int:
    """Clients who were chased and owe nothing overdue any more are back to «nothing to chase»; answers how many."""
    later = StageChange.objects.filter(client=OuterRef("client"), pk__gt=OuterRef("pk"))
    chased = (
        StageChange.objects.filter(client__company=company, changed_on__lte=on)
        .exclude(stage_to__in=[CURRENT, "closed"]).filter(~Exists(later)).select_related("client")
    )
    candidates = {change.client_id: change.client for change in chased}
    if not candidates:
        return 0
    owes = set(
        owing(company, on).filter(client__in=candidates, due_day__lt=on).values_list("client_id", flat=True).distinct()
    )
    cleared = [client for pk, client in candidates.items() if pk not in owes]
    for client in cleared:
        move_stage(client, CURRENT, because=_("Everything overdue is cleared"), on=on, by=by)
    return len(cleared)
