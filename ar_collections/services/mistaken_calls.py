"""A call logged by mistake: what it brought is taken back, and the entry is struck out by a correction."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from ar_collections.models import STRUCK_OUT, ContactLog, Pause, Promise, StageChange, Task
from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.models import as_text
from disputes.models import Dispute
from disputes.services import close_dispute

from .contact_log import correct_contact_log
from .pausing import end_pause
from .promising import withdraw_promise
from .stages import stage_of

WITHIN = dt.timedelta(seconds=20)  # ten seconds the notice stands, and ten for what is on its way

Traces = dict[str, Any]
_MADE = {"promises": Promise, "disputes": Dispute, "pauses": Pause, "tasks": Task, "stages": StageChange}


def before_call(client: Client, on: dt.date) -> Traces:
    """What stands before a call is logged, as JSON: the tasks that are open, the promises that run, and what is new."""
    tasks = Task.objects.filter(client=client, closed_on=None).values_list("pk", "snoozed_until")
    promises = Promise.objects.running_on(on).filter(client=client)
    return {
        "open": [[pk, until and until.isoformat()] for pk, until in tasks],
        "running": list(promises.values_list("pk", flat=True)),
        "last": {name: _rows(name, client).aggregate(last=Max("pk"))["last"] or 0 for name in _MADE},
    }


def is_new(entry: ContactLog, now: dt.datetime) -> bool:
    """Whether a call was logged just now, so that it can still be undone; a form sent twice brings an older one."""
    return now <= entry.logged_at + WITHIN


def undo_call(entry: ContactLog, before: Traces, *, on: dt.date, now: dt.datetime, by: Any) -> ContactLog:
    """Take a call back that was logged by mistake, within seconds; twice changes nothing.

    The entry stays and is struck out by a correction. Its promise is withdrawn and those it replaced run again, its
    dispute is closed, its pause ends, its tasks are done, the tasks it answered are open again, the stage is what it
    was. People who were added or taken off the file stay as they are. Refused once the seconds are over.
    """
    if not is_new(entry, now):
        raise Refused(_("It is too late to undo this call; correct what it brought on the client's file."), code="late")
    with transaction.atomic():
        client = Client.objects.select_for_update(of=("self",)).get(pk=entry.client_id)
        key = f"{STRUCK_OUT}{entry.pk}"
        standing = ContactLog.objects.filter(key=key).first()
        if standing:
            return standing
        because = _("Struck out: it was logged by mistake")
        struck = correct_contact_log(entry, key=key, said=because, outcome="note", on=on, by=by)
        made = {name: list(_rows(name, client).filter(pk__gt=before["last"][name]).order_by("pk")) for name in _MADE}
        for promise in made["promises"]:
            withdraw_promise(promise, on=on, by=by)
        Promise.objects.filter(pk__in=before["running"], withdrawn_on=on).update(withdrawn_on=None)
        for dispute in made["disputes"]:
            close_dispute(dispute, outcome=because, on=on, by=by)
        for pause in made["pauses"]:
            end_pause(pause, on=on, by=by)
        Task.objects.filter(pk__in=[task.pk for task in made["tasks"]], closed_on=None).update(
            closed_on=on, closed_by=as_text(by)[:150], closed_because=because
        )
        for pk, until in before["open"]:
            Task.objects.filter(pk=pk).update(
                closed_on=None, closed_by="", closed_because="", snoozed_until=until and dt.date.fromisoformat(until)
            )
        if made["stages"]:
            _as_it_was(client, made["stages"][0].stage_from, because, on, by)
        record(by, "call_undone", entry, client_id=client.pk, summary=entry.get_outcome_display())
    return struck


def _as_it_was(client: Client, stage: str, because: str, on: dt.date, by: Any) -> None:
    """A mistake is not a move on the map: the stage before it stands again."""
    StageChange.objects.create(
        client=client, stage_from=stage_of(client), stage_to=stage, because=because, changed_on=on,
        changed_by=as_text(by)[:150],
    )


def _rows(name: str, client: Client) -> Any:
    mine = {"invoice__client": client} if name == "disputes" else {"client": client}
    return _MADE[name].objects.filter(**mine)  # type: ignore[attr-defined]
