"""Many invoices at once: looked at first, each done or refused on its own, nothing twice, undone together."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from clients.services.limits import set_limit
from core.errors import Refused
from core.jobs import run_job, start_job
from core.models import Job, StoredFile
from core.services import store_file
from invoices import bulk
from invoices.mail_previews import compose_test, send_test
from invoices.models import Invoice, ShareLink
from invoices.services.bulk import act_on, plan_bulk, undo_bulk
from invoices.services.issuing import was_sent
from invoices.services.pro_forma import make_pro_forma
from invoices.services.sending import send_invoice
from invoices.zips import KEPT, prepare, prepared_path, sweep_prepared
from outbox.models import Message
from outbox.services import cancel, let_go
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def noon() -> Any:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def batch(company: Any, invoices: list[Invoice], do: str = "send", **more: Any) -> Job:
    told = {
        "company": company.code, "pks": [i.pk for i in invoices], "do": do, "token": "a" * 32,
        "since": NOON.isoformat(),
    }  # fmt: skip
    return run_job(start_job(bulk.BULK, told | more, by="Ada").pk, timezone.now)


def did(job: Job) -> list[str]:
    return [row["did"] for row in job.result["rows"]]


def test_the_plan_says_of_each_what_would_happen_and_changes_nothing(company, good_client, late_client):
    strict = make_client(company, "C-3", po_required=True)
    silent = make_client(company, "C-4", email=None)
    rows = [make_draft(good_client), make_draft(strict), make_draft(silent), make_invoice(late_client)]
    plan = plan_bulk(company, [row.pk for row in rows], "send", on=TODAY, by=CLERK)
    assert [one.code for one in plan] == ["", "po_required", "no_contact", ""]
    assert [one.to.name if one.to else "" for one in plan] == ["Mara Winter", "Mara Winter", "", "Mara Winter"]
    assert not Message.objects.exists() and Invoice.objects.drafts().count() == 3
    issuing = plan_bulk(company, [row.pk for row in rows], "issue", on=TODAY, by=CLERK)
    assert [one.code for one in issuing] == ["", "po_required", "", "issued"]


def test_what_those_before_it_use_up_of_the_limit_is_said(company, good_client):
    set_limit(good_client, Decimal(1500), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    rows = [make_draft(good_client, "1000"), make_draft(good_client, "400"), make_draft(good_client, "400")]
    plan = plan_bulk(company, [row.pk for row in rows], "issue", on=TODAY, by=CLERK)
    assert [one.refused for one in plan] == ["", "", ""]
    assert ["use up the limit" in " ".join(one.warns) for one in plan] == [False, False, True]
    assert did(batch(company, rows, "issue")) == ["issued", "issued", "refused"]


def test_what_was_sent_already_is_said_before_it_is_sent_again(company, good_client):
    sent, taken_back, never = (make_invoice(good_client) for _ in range(3))
    send_invoice(sent, on=TODAY, by=CLERK)
    cancel(send_invoice(taken_back, on=TODAY, by=CLERK), by=CLERK)
    pks = [sent.pk, taken_back.pk, never.pk]
    plan = plan_bulk(company, pks, "send", on=TODAY, by=CLERK)
    assert ["sent already" in " ".join(one.warns) for one in plan] == [True, False, False]


def test_a_plan_for_nothing_or_too_many_or_another_company_is_refused_or_empty(company, good_client):
    other = make_company("zz")
    theirs = make_draft(make_client(other, "Z-1"))
    assert plan_bulk(company, [theirs.pk], "issue", on=TODAY, by=CLERK) == []
    for pks, do in ([], "issue"), (list(range(501)), "issue"), ([1], "burn"):
        with pytest.raises(Refused):
            plan_bulk(company, pks, do, on=TODAY, by=CLERK)
    told = act_on(theirs.pk, "issue", company=company, since=NOON, not_before=NOON, on=TODAY, by=CLERK)
    assert told.code == "gone"


def test_each_is_issued_and_sent_or_left_with_the_reason(company, good_client):
    silent = make_client(company, "C-4", email=None)
    rows = [make_draft(good_client), make_draft(silent), make_invoice(good_client), make_draft(good_client)]
    job = batch(company, rows)
    assert did(job) == ["issued_sent", "refused", "sent", "issued_sent"]
    assert job.state == "done" and "add a contact" in job.result["rows"][1]["says"]
    rows[1].refresh_from_db()
    assert rows[1].issued_at is None  # what cannot be sent is not issued either
    numbers = list(Invoice.objects.issued().order_by("seq").values_list("number", flat=True))
    assert numbers == ["LO-2026-0001", "LO-2026-0002", "LO-2026-0003"]


def test_the_mails_of_a_batch_wait_for_its_end_and_are_undone_together(company, good_client, noon):
    rows = [make_draft(good_client), make_draft(good_client)]
    seen = []
    first = act_on(
        rows[0].pk, "send", company=company, since=NOON, not_before=NOON + bulk.AT_MOST, on=TODAY, by=CLERK
    )
    seen.append(Message.objects.get(pk=first.message).not_before)
    assert seen == [NOON + bulk.AT_MOST]
    job = batch(company, rows)
    waiting = list(Message.objects.values_list("not_before", flat=True))
    assert waiting == [NOON + dt.timedelta(seconds=10)] * 2
    pks = [row["message"] for row in job.result["rows"]]
    noon.shift(5)
    assert undo_bulk(pks, now=NOON + dt.timedelta(seconds=5), by=CLERK) == (2, 0)
    assert undo_bulk(pks, now=NOON + dt.timedelta(seconds=6), by=CLERK) == (0, 0)
    assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}


def test_too_late_to_undo_says_how_many_had_gone(company, good_client):
    job = batch(company, [make_draft(good_client)])
    pks = [row["message"] for row in job.result["rows"]]
    assert undo_bulk(pks, now=NOON + dt.timedelta(seconds=11), by=CLERK) == (0, 1)


def test_a_draft_that_waits_to_be_paid_in_advance_is_not_issued_among_many(company, good_client):
    draft = make_draft(good_client)
    standing = make_pro_forma(draft, TODAY + dt.timedelta(days=7), on=TODAY, by=CLERK)
    (planned,) = plan_bulk(company, [draft.pk], "send", on=TODAY, by=CLERK)
    assert planned.code == "pro_forma" and str(standing) in planned.refused
    assert did(batch(company, [draft])) == ["refused"]
    draft.refresh_from_db()
    assert draft.issued_at is None


def test_a_batch_that_runs_again_does_nothing_twice(company, good_client, noon):
    rows = [make_draft(good_client), make_invoice(good_client)]
    batch(company, rows)
    Message.objects.update(state="sent", sent_at=NOON)  # they have left meanwhile
    noon.shift(60)
    again = batch(company, rows, token="b" * 32)
    assert did(again) == ["nothing", "nothing"]
    assert Message.objects.count() == 2 and Invoice.objects.issued().count() == 2


def test_a_batch_asked_to_stop_leaves_the_rest_and_goes_on_later(company, good_client, monkeypatch):
    rows = [make_draft(good_client) for _ in range(3)]
    kept = bulk.act_on

    def stops_after_the_first(pk: int, *told: Any, **more: Any) -> Any:
        bulk.stop(Job.objects.get())
        return kept(pk, *told, **more)

    monkeypatch.setattr(bulk, "act_on", stops_after_the_first)
    job = batch(company, rows)
    assert did(job) == ["issued_sent"] and job.result["left"] == [rows[1].pk, rows[2].pk]
    monkeypatch.setattr(bulk, "act_on", kept)
    assert did(batch(company, rows, token="b" * 32)) == ["nothing", "issued_sent", "issued_sent"]


def test_what_breaks_with_one_keeps_no_other_from_being_done(company, good_client, monkeypatch):
    rows = [make_draft(good_client), make_draft(good_client)]
    kept = bulk.act_on

    def breaks(pk: int, *told: Any, **more: Any) -> Any:
        if pk == rows[0].pk:
            raise ZeroDivisionError
        return kept(pk, *told, **more)

    monkeypatch.setattr(bulk, "act_on", breaks)
    assert did(batch(company, rows)) == ["refused", "issued_sent"]


def with_pdf(invoice: Invoice) -> Invoice:
    stored: StoredFile = store_file(f"%PDF of {invoice.number}".encode(), "application/pdf")
    Invoice.objects.filter(pk=invoice.pk).update(pdf=stored)
    invoice.refresh_from_db()
    return invoice


def test_the_pdfs_of_many_lie_in_one_file_with_a_list(company, good_client):
    one, two, draft = with_pdf(make_invoice(good_client)), with_pdf(make_invoice(good_client)), make_draft(good_client)
    draft.refresh_from_db()
    together = prepare([one, two, draft])
    inside = zipfile.ZipFile(io.BytesIO(together.content))
    assert inside.namelist() == [f"{one.number}.pdf", f"{two.number}.pdf", "index.csv"]
    assert inside.read(f"{two.number}.pdf") == f"%PDF of {two.number}".encode()
    rows = list(csv.DictReader(io.StringIO(inside.read("index.csv").decode("utf-8-sig"))))
    assert [(row["file"], row["total"]) for row in rows] == [
        (f"{one.number}.pdf", "1000.00"), (f"{two.number}.pdf", "1000.00"), ("", "1000.00"),
    ]  # fmt: skip
    assert "issue it first" in rows[2]["left out because"] and together.inside == 2
    assert prepare([one, two, draft]).content == together.content


def test_a_prepared_file_is_kept_for_a_day(company, good_client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    one = with_pdf(make_invoice(good_client))
    told = {"company": company.code, "pks": [one.pk], "token": "c" * 32}
    job = run_job(start_job(bulk.ZIP, told, by="Ada").pk, lambda: NOON)
    assert job.result["inside"] == 1
    place = prepared_path("c" * 32)
    made = dt.datetime.fromtimestamp(place.stat().st_mtime, dt.UTC)
    assert sweep_prepared(made + KEPT - dt.timedelta(minutes=1)) == {"removed": 0}
    assert sweep_prepared(made + KEPT + dt.timedelta(minutes=1)) == {"removed": 1}
    assert not place.exists()
    with pytest.raises(ValueError):
        prepared_path("../" + "c" * 29)


def test_a_test_mail_goes_to_whoever_asks_and_never_counts_as_sent(company, late_client, clerk, monkeypatch):
    monkeypatch.setattr("invoices.mails.attached", lambda *_told: ("x.pdf", "application/pdf", b"%PDF"))
    invoice = make_invoice(late_client)
    contact = late_client.contacts.get()
    told = {"to": "ada@lumenoak.example", "key": "k1", "on": TODAY, "now": NOON, "by": clerk}
    message = send_test(invoice, contact, language="de", **told)
    assert send_test(invoice, contact, language="de", **told) == message
    mail = compose_test(message, NOON)
    assert (mail.to_addr, mail.cc_addr) == ("ada@lumenoak.example", "")
    assert mail.subject.startswith("Test: Rechnung") and mail.text.startswith("Dies ist ein Test")
    assert "ap@client.example" in mail.text.splitlines()[0]
    assert "ap@client.example" in mail.html
    assert not ShareLink.objects.exists()
    Message.objects.update(state="sent", sent_at=NOON)
    assert not was_sent(invoice)
    with pytest.raises(Refused, match="no e-mail address"):
        send_test(invoice, contact, **told | {"to": ""})
    with pytest.raises(Refused, match="draft"):
        send_test(make_draft(late_client), contact, **told)


def test_a_mail_the_server_put_back_is_not_hurried(company, good_client):
    message = send_invoice(make_invoice(good_client), on=TODAY, by=CLERK)
    later = NOON + dt.timedelta(minutes=30)
    Message.objects.update(attempts=1, not_before=later)
    assert let_go([message.pk], not_before=NOON) == 0
    assert Message.objects.get().not_before == later
