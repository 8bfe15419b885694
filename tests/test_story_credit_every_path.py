"""Case 23: credit block at the wrong moment, and ways around it (erpnext#37888, #33967, #41426).

Prepaid work passes on hold; delivered work stays invoiceable; every path to a claim asks again at the moment it
becomes one; an exception is bound to a role, has a reason and a last day, and is kept.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User

from audit.models import Event
from clients.models import Client
from clients.services.limits import set_limit
from clients.services.overrides import end_override, grant_override
from clients.services.status import set_status
from core.errors import Refused
from imports.cells import Reading
from imports.services.answers import FileRefused
from imports.services.open_items import Taking, import_open_items
from invoices.models import CompletedWork, Entry, Invoice, Series
from invoices.services.credit import warn_about
from invoices.services.drafting import Heading, LineDraft, edit_draft
from invoices.services.exposure import available_of, exposure_of
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.recurring import Schedule, make_recurring
from invoices.services.recurring_runs import run_recurring, try_again
from payments.services import allocate
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("grace", first_name="Grace", last_name="Okafor")


@pytest.fixture
def limited(late_client: Client) -> Client:
    """May owe 1,000 and owes 600."""
    set_limit(late_client, Decimal(1000), "EUR", because="start", source="policy", on=TODAY - 90 * DAY, by="system")
    make_invoice(late_client, "600", on=TODAY - 10 * DAY)
    return late_client


@pytest.fixture
def on_cash(limited: Client) -> Client:
    """The same since yesterday for cash only."""
    move(limited, "cash_only", TODAY - DAY)
    return limited


def move(client: Client, status: str, on: dt.date = TODAY, **facts: Any) -> None:
    set_status(client, status, because="60 days late", source="policy", on=on, by="system", **facts)


def refused(draft: Invoice, code: str, by: Any = CLERK, **how: Any) -> str:
    """Issuing is refused by that rule, and nothing of it stays."""
    before = (Entry.objects.count(), Event.objects.count(), list(Series.objects.values()))
    with pytest.raises(Refused) as no:
        issue_invoice(draft, on=TODAY, by=by, **how)
    assert no.value.code == code
    assert (Entry.objects.count(), Event.objects.count(), list(Series.objects.values())) == before
    assert Invoice.objects.get(pk=draft.pk).issued_at is None
    return no.value.message


def issued(draft: Invoice, by: Any = CLERK, **how: Any) -> Invoice:
    return issue_invoice(draft, on=TODAY, by=by, **how)


def how_it_passed(invoice: Invoice) -> Event:
    return Event.objects.get(action="credit_rule_passed", doc=f"invoice:{invoice.pk}")


def test_a_draft_over_the_limit_may_be_written_and_warns_and_is_not_issued(limited):
    draft = make_draft(limited, "400.01")
    (warning,) = warn_about(draft, TODAY)
    assert "€0.01 over the limit of €1,000.00" in warning
    assert refused(draft, "over_limit") == warning
    edit_draft(draft, [LineDraft("less", Decimal(1), Decimal(400))], heading=Heading(), by=CLERK)
    draft.refresh_from_db()
    assert warn_about(draft, TODAY) == ("With this invoice Harbour Lane Coffee uses 100 % of the limit of €1,000.00.",)
    issued(draft)
    assert available_of(limited, "EUR", TODAY) == 0


def test_a_draft_that_was_fine_when_written_is_asked_again_when_issued(limited):
    early, other = make_draft(limited, "300"), make_draft(limited, "300")
    assert warn_about(early, TODAY) != () and issued(other)
    refused(early, "over_limit")
    pay(limited, "600")
    move(limited, "cash_only")
    refused(early, "cash_only")
    move(limited, "open")
    issued(early)


def test_a_draft_that_grew_after_it_was_looked_at_is_asked_by_what_it_is_now(limited):
    draft = make_draft(limited, "10")
    edit_draft(draft, [LineDraft("more", Decimal(5), Decimal(100))], heading=Heading(), by=CLERK)
    refused(draft, "over_limit")


def test_many_drafts_issued_one_after_the_other_stop_at_the_limit(limited):
    drafts = [make_draft(limited, "150") for _ in range(4)]
    for draft in drafts[:2]:
        issued(draft)
    for draft in drafts[2:]:
        refused(draft, "over_limit")
    assert exposure_of(limited, "EUR", TODAY).total == 900


def test_what_is_voided_frees_the_limit_and_the_next_one_is_asked_all_the_same(limited):
    first = issued(make_draft(limited, "400"))
    again = make_draft(limited, "400")
    refused(again, "over_limit")
    void_invoice(first, reason="wrong order", on=TODAY, by=CLERK)
    issued(again)
    refused(make_draft(limited, "0.01"), "over_limit")


def test_the_desk_says_why_and_issues_nothing(limited, client, clerk):
    draft = make_draft(limited, "900")
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        answer = client.post(f"/invoices/{draft.pk}/issue/", {"do": "send"}, follow=True)
    assert "over the limit of €1,000.00" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.issued_at is None


def test_the_admin_is_no_way_around(on_cash, client, manager):
    draft = make_draft(on_cash, "5")
    client.force_login(manager)
    page = f"/admin/invoices/invoice/{draft.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"issued_at_0": "2026-11-18", "number": "X-1"}).status_code == 403
    assert client.get("/admin/invoices/invoice/add/").status_code == 403


def test_an_import_is_no_way_around(on_cash, manager):
    words = {"number": "no", "client": "client", "issued_on": "issued", "due_on": "due", "total": "total"}
    file = b"no,client,issued,due,total\n7,C-0042,2026-11-18,2026-12-18,50\n"
    taking = Taking(Reading(words, "%Y-%m-%d", "EUR"))
    with pytest.raises(FileRefused, match=f"buys nothing on credit since {TODAY - DAY}"):
        import_open_items(file, taking, on=TODAY, by=manager)
    assert not Invoice.objects.filter(number="7").exists()


def test_an_import_that_carries_a_client_over_its_limit_says_so_by_line(limited):
    words = {"number": "no", "client": "client", "issued_on": "issued", "due_on": "due", "total": "total"}
    file = b"no,client,issued,due,total\n7,C-0042,2026-11-18,2026-12-18,50\n8,C-0042,2026-11-18,2026-12-18,%d\n"
    taking = Taking(Reading(words, "%Y-%m-%d", "EUR"))
    assert not import_open_items(file % 350, taking, on=TODAY, by=CLERK).warnings
    more = b"no,client,issued,due,total\n9,C-0042,2026-11-18,2026-12-18,0.01\n"
    (warning,) = import_open_items(more, taking, on=TODAY, by=CLERK).warnings
    assert (warning.line, warning.column) == (2, "total")
    assert "owes 1000.01 EUR with this, over its limit" in warning.message
    refused(make_draft(limited, "1"), "over_limit")


def test_what_comes_again_and_again_is_asked_on_each_of_its_days(limited, manager):
    line = LineDraft("Care", Decimal(1), Decimal(250))
    schedule = Schedule("Care", TODAY, unit="week", covers="")
    care = make_recurring(limited, schedule, [line], on=TODAY, by=manager)

    def night(weeks: int) -> Any:
        return run_recurring(limited.company, send_from=NOON, on=TODAY + 7 * weeks * DAY, by="system")

    assert len(night(0).invoices) == 1  # 850 of 1,000
    (over,) = night(1).refused
    assert "over the limit of €1,000.00" in over.refused_because and Invoice.objects.filter(total=250).count() == 1
    # a manager wrote it; the night has no permission of its own, and passes by an exception like everybody
    grant_override(limited, "over_limit", "a fair", expires_on=TODAY + 8 * DAY, on=TODAY, by=manager)
    again = run_recurring(limited.company, send_from=NOON, on=TODAY + 8 * DAY, by="system")
    assert how_it_passed(again.invoices[0]).diff == {"by": "exception", "rule": "over_limit"}
    move(limited, "cash_only", TODAY + 9 * DAY)
    (refused_,) = night(2).refused
    assert "buys for cash only" in refused_.refused_because
    still = try_again(refused_, send_from=NOON, on=TODAY + 14 * DAY, by=CLERK)
    assert still.invoice is None and care.runs.filter(invoice=None).count() == 1


def test_on_cash_only_what_is_paid_before_passes_and_the_money_counts_once(on_cash):
    draft, second = make_draft(on_cash, "200"), make_draft(on_cash, "200")
    assert "To go on, ask for the money first by a pro forma" in refused(draft, "cash_only")
    money = pay(on_cash, "200", how="none")
    first = issued(draft)
    refused(second, "cash_only")  # the cash is there, and spoken for
    allocate(money, {f"invoice:{first.pk}": Decimal(200)}, on=TODAY, by=CLERK)
    refused(second, "cash_only")
    pay(on_cash, "200", how="none")
    issued(second)


def test_we_no_longer_sell_to_a_closed_client_not_even_for_cash(limited):
    move(limited, "closed")
    pay(limited, "5000", how="none")
    assert "We no longer sell to Harbour Lane Coffee" in refused(make_draft(limited, "1"), "closed")


def test_stricter_terms_are_kept_at_the_moment_of_invoicing(limited):
    move(limited, "stricter", terms_days=14, deposit_percent=Decimal(30))
    assert "at most 14 days" in refused(make_draft(limited, "100"), "terms_too_long")
    short = Terms.objects.create(company=limited.company, name="Net 14 days", net_days=14)
    draft, next_one = make_draft(limited, "100", terms=short), make_draft(limited, "100", terms=short)
    assert "of €30.00, €0.00 is there" in refused(draft, "deposit")
    pay(limited, "30", how="none")
    issued(draft)
    refused(next_one, "deposit")


def test_an_exception_is_bound_to_a_role_has_a_last_day_and_is_kept(limited, clerk, manager):
    draft, late = make_draft(limited, "500"), make_draft(limited, "500")
    with pytest.raises(Refused, match="You may not grant an exception"):
        grant_override(limited, "over_limit", "a fair", expires_on=TODAY, on=TODAY, by=clerk)
    exception = grant_override(limited, "over_limit", "their fair", expires_on=TODAY, on=TODAY, by=manager)
    passed = how_it_passed(issued(draft, by=clerk))
    assert (passed.actor, passed.diff) == ("Ada Kowalska", {"by": "exception", "rule": "over_limit"})
    assert f"exception {exception.pk} of Grace Okafor: their fair" in passed.summary
    with pytest.raises(Refused) as no:
        issue_invoice(late, on=TODAY + DAY, by=clerk)
    assert f"expired on {TODAY}; grant a new one, with a reason and a last day" in no.value.message
    end_override(exception, by=manager)
    assert "was ended by Grace Okafor" in refused(late, "over_limit")


def test_an_exception_from_the_limit_is_none_from_cash_only(on_cash, manager):
    draft = make_draft(on_cash, "50")
    grant_override(on_cash, "over_limit", "their fair", expires_on=TODAY, on=TODAY, by=manager)
    refused(draft, "cash_only")
    grant_override(on_cash, "on_credit", "their parent pays", expires_on=TODAY, on=TODAY, by=manager)
    assert how_it_passed(issued(draft)).diff["rule"] == "cash_only"


@pytest.mark.parametrize("status", ["cash_only", "closed"])
def test_delivered_work_is_invoiced_by_who_may_and_that_is_kept(limited, clerk, status):
    move(limited, status)
    draft = make_draft(limited, "700")
    assert "You may not invoice delivered work" in refused(draft, "permission", by=clerk, delivered=True)
    refused(draft, "permission", by="system", delivered=True)
    clerk.user_permissions.add(Permission.objects.get(codename="invoice_delivered"))
    trusted = User.objects.get(pk=clerk.pk)
    refused(draft, status, by=trusted)  # the permission alone says nothing about this draft
    assert how_it_passed(issued(draft, by=trusted, delivered=True)).diff == {"by": "delivered", "rule": status}


def test_a_draft_made_from_completed_work_says_itself_that_it_is_delivered(on_cash, clerk, manager):
    def work(draft: Invoice, net: str) -> None:
        CompletedWork.objects.create(
            company=on_cash.company, client=on_cash, key=f"w{draft.pk}", description="Repair", unit_price=Decimal(net),
            net=Decimal(net), gross=Decimal(net), currency="EUR", done_on=TODAY, invoice=draft, recorded_by=CLERK,
        )

    draft, padded = make_draft(on_cash, "80"), make_draft(on_cash, "80")
    work(draft, "80")
    work(padded, "20")
    assert "The work is delivered: somebody with the permission" in refused(draft, "cash_only", by=clerk)
    assert how_it_passed(issued(draft, by=manager)).diff["by"] == "delivered"
    refused(padded, "cash_only", by=manager)  # sixty of it is something else


def test_where_credit_was_never_restricted_nothing_is_asked(good_client):
    make_invoice(good_client, "100000")
    assert not Event.objects.filter(action="credit_rule_passed").exists()
    assert available_of(good_client, "EUR", TODAY) is None
