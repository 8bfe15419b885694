"""The demo book: what the first look at AR Ledger shows, and that it is a book like any other."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from ar_collections.models import ContactLog, LimitProposal, Pause, Promise, Task
from arledger.demo.book import begin, write
from clients.models import Client, Contact, CreditCheck, Document, KeyDate, StatusChange
from core.errors import Refused
from core.models import Company
from core.services import today
from disputes.models import Dispute
from invoices.aging import BUCKETS
from invoices.models import CompletedWork, Invoice
from outbox.models import Message
from payments.models import Payment
from reports.aging import aging


@pytest.mark.on_sqlite
@pytest.mark.django_db(transaction=True)
def test_the_demo_book_has_something_of_everything(settings, tmp_path):
    settings.MAIL_DIR = tmp_path
    out = io.StringIO()
    call_command("demo", "--json", stdout=out, stderr=io.StringIO())
    said = json.loads(out.getvalue())
    assert (said["companies"], said["clients"], said["invoices"]) == (2, 28, 144)
    assert authenticate(username=said["login"], password=said["password"])
    berlin, portland = Company.objects.order_by("pk")
    assert (berlin.paper, portland.paper) == ("A4", "Letter")
    for company in (berlin, portland):
        kinds = company.payment_methods.filter(is_active=True).values_list("kind", flat=True)
        assert sorted(kinds) == ["card", "cash", "cheque", "transfer"]
    assert portland.bank_accounts.get().routing_number
    aged = aging(today(berlin, timezone.now()), berlin)["EUR"]
    assert all(aged.buckets[bucket] > 0 for bucket in BUCKETS)
    assert aged.unapplied < 0
    unsent = list(Message.objects.exclude(state="sent").values_list("key", "state", "reason"))
    assert not unsent
    assert Message.objects.count() > 20
    assert len(list(tmp_path.glob("*.eml"))) == Message.objects.count()
    open_tasks = Counter(Task.objects.filter(closed_on=None).values_list("kind", flat=True))
    assert 6 <= open_tasks["call"] + open_tasks["promise_broken"] <= 12
    assert open_tasks["contact"] and open_tasks["matching"] and open_tasks["plan_request"]
    assert_credit_has_something_of_everything()
    assert Promise.objects.count() >= 4 and Dispute.objects.exists() and Pause.objects.exists()
    assert ContactLog.objects.count() >= 12
    assert set(Client.objects.values_list("language", flat=True)) == {"de", "en", "fr"}
    with pytest.raises(SystemExit):
        call_command("demo", stdout=io.StringIO(), stderr=io.StringIO())
    call_command("demo", "--if-empty", stdout=io.StringIO())
    assert Company.objects.count() == 2


def assert_credit_has_something_of_everything() -> None:
    """A grown limit, one nearly used, cash-only by the policy with its letter, one declined, and what waits."""
    osprey = Client.objects.get(name="Osprey Logistics")
    assert list(osprey.credit_limits.values_list("amount", flat=True)) == [40000, 31000, 25000]
    assert osprey.credit_decisions.get().outcome == "accept"
    near = Client.objects.get(name="Kestrel Analytics")
    assert near.limit_marks.filter(fell_back_on=None, percent=90).exists() and near.credit_overrides.exists()
    cash_only = StatusChange.objects.filter(status="cash_only", source="policy")
    letters = Message.objects.filter(kind="credit_notice", state="sent")
    assert cash_only.count() >= 3 and letters.count() >= cash_only.count()
    declined = Client.objects.get(number="C-0120")
    assert declined.credit_decisions.get().outcome == "decline" and len(declined.credit_checks.get().flags) == 2
    proposals = LimitProposal.objects.all()
    assert proposals.filter(outcome="").count() == 2 and proposals.filter(outcome="rejected").exists()
    assert proposals.filter(outcome="approved", proposed__lt=F("current")).exists()  # shrunk at once
    assert CreditCheck.objects.count() >= 8 and Document.objects.count() >= 10
    assert KeyDate.objects.count() == 5 and Contact.objects.exclude(greetings_since=None).count() >= 10
    assert 3 <= Client.objects.filter(acceptances=None).count() <= 12 and CompletedWork.objects.count() == 3


@pytest.mark.once
@pytest.mark.django_db
def test_the_same_day_writes_the_same_book(clerk):
    from django.db import transaction

    from tests.cast import TODAY

    def written() -> list[tuple[object, ...]]:
        with transaction.atomic():
            write(begin(TODAY, lambda: clerk))
            issued = Invoice.objects.order_by("pk")
            paid = Payment.objects.order_by("pk")
            book = list(issued.values_list("number", "client__number", "total", "balance", "due_on"))
            book += list(paid.values_list("client__number", "amount", "received_on", "method"))
            transaction.set_rollback(True)
        return book

    assert written() == written()


@pytest.mark.django_db
def test_the_demo_never_goes_into_somebodys_book(company, clerk):
    with pytest.raises(Refused, match="only goes into an empty one"):
        begin(today(company, timezone.now()), lambda: clerk)
