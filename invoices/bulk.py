"""Batches of invoices as jobs of the worker: issuing and sending many, and their PDFs in one file. A shell."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone
from django.utils.translation import gettext as _

from core import jobs
from core.models import Company, Job
from core.services import today
from outbox.services import let_go

from .models import Invoice
from .services.bulk import Done, act_on, note_batch
from .services.sending import UNDO
from .zips import prepare, prepared_path

log = logging.getLogger(__name__)

BULK, ZIP = "invoices_in_bulk", "invoices_zip"
AT_MOST = dt.timedelta(minutes=10)  # longer than any batch: until its end its mails wait, so that all can be undone


def register_works() -> None:
    jobs.register(BULK, issue_and_send)
    jobs.register(ZIP, put_together)


def issue_and_send(arguments: dict[str, Any], by: Any, progress: jobs.Progress) -> dict[str, Any]:
    """Arguments: company (code), pks, do («issue» or «send»), since (an instant), token (of this job alone).

    One that cannot be done is left with the reason and the rest go on. Asked to stop, or out of time, it ends after
    the one it is at. The mails leave together, ten seconds after the last was put in.
    """
    company = Company.objects.get(code=arguments["company"])
    pks, since = arguments["pks"], dt.datetime.fromisoformat(arguments["since"])
    done: list[Done] = []
    try:
        for pk in pks:
            progress(len(done), len(pks), "invoices")
            if is_stopped(arguments["token"]):
                break
            done.append(_one(pk, arguments["do"], company, since, by))
    except SoftTimeLimitExceeded:
        log.warning("a batch of %d invoices ran out of time after %d", len(pks), len(done))
    now = timezone.now()
    let_go([one.message for one in done if one.message], not_before=now + UNDO)
    note_batch(company, arguments["do"], done, by=by)
    progress(len(done), len(pks), "invoices")
    return {"rows": [vars(one) for one in done], "left": pks[len(done):], "undo_until": (now + UNDO).isoformat()}


def _one(pk: int, do: str, company: Company, since: dt.datetime, by: Any) -> Done:
    now = timezone.now()
    try:
        return act_on(
            pk, do, company=company, since=since, not_before=now + AT_MOST, on=today(company, now), by=by
        )
    except SoftTimeLimitExceeded:
        raise
    except Exception:  # what is wrong with one invoice keeps no other from being done
        log.exception("invoice %s could not be done in a batch", pk)
        said = _("Something went wrong here, and nothing of it was saved. The log says what.")
        return Done(pk, "refused", said, "broken")


def is_stopped(token: str) -> bool:
    """Whether somebody asked this batch to stop."""
    return Job.objects.filter(kind=BULK, arguments__token=token, arguments__stop=True).exists()


def stop(job: Job) -> None:
    """Ask a batch to end after the invoice it is at; what is done stays done."""
    Job.objects.filter(pk=job.pk, state__in=["waiting", "running"]).update(arguments=job.arguments | {"stop": True})


def put_together(arguments: dict[str, Any], by: Any, progress: jobs.Progress) -> dict[str, Any]:
    """Arguments: company (code), pks, token (the name of the file until somebody fetches it)."""
    company = Company.objects.get(code=arguments["company"])
    chosen = Invoice.objects.filter(company=company, pk__in=arguments["pks"]).select_related("client", "intake")
    told = prepare(chosen.order_by("issued_on", "pk"), progress)
    place = prepared_path(arguments["token"])
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.write_bytes(told.content)
    return {"size": len(told.content), "inside": told.inside, "left_out": told.left_out}
