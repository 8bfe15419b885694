"""A client's credit at the desk: what its exposure is made of, limit, status, exceptions, checks and the decision."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from ar_collections.models import LimitProposal
from ar_collections.services.credit_letters import tell_credit
from clients.models import CreditCheck, CreditDecision, CreditLimit, CreditOverride, Document, StatusChange
from clients.providers import Found, _providers
from clients.services.limits import limit_of, set_limit
from clients.services.status import set_status, status_of
from policies.credit import credit_policy_of
from tests.cast import CLERK, TODAY, invoice_due, make_draft, make_manager, pay

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def managing(desk: Any) -> Any:
    """The same desk with somebody who may."""
    desk.force_login(make_manager())
    return desk


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def limit(client: Any, amount: str) -> CreditLimit:
    return set_limit(client, Decimal(amount), client.currency, because="test", source="import", on=TODAY, by=CLERK)


def test_the_exposure_opens_to_the_rows_it_is_made_of(desk, late_client, django_assert_max_num_queries):
    overdue = invoice_due(late_client, TODAY - dt.timedelta(days=10), "250")
    invoice_due(late_client, TODAY + dt.timedelta(days=10), "500")
    make_draft(late_client, "90")
    pay(late_client, "40", how="none", reference="on account")
    limit(late_client, "1000")
    with django_assert_max_num_queries(45):
        answer = desk.get(url("client_credit", late_client.pk))
    (standing,) = answer.context["trust"].standings
    assert {part.key: part.amount for part in standing.parts} == {
        "open_not_due": 500, "overdue": 250, "drafts": 90, "unapplied": -40,
    }  # fmt: skip
    assert (standing.exposure.total, standing.available, standing.percent) == (710, 290, 71)
    assert sum(part.width for part in standing.parts) == pytest.approx(710, abs=1)  # the bar is as long as the limit
    page = text(answer)
    assert str(overdue) in page and "on account" in page and "shown, not counted" in page
    assert "€290.00" in page


def test_over_the_limit_the_bar_shows_where_the_limit_lies(desk, late_client):
    invoice_due(late_client, TODAY + dt.timedelta(days=10), "500")
    limit(late_client, "400")
    (standing,) = desk.get(url("client_credit", late_client.pk)).context["trust"].standings
    assert (standing.over, standing.mark, standing.tone) == (100, 800.0, "bad")


def test_without_a_limit_the_page_says_that_nothing_bounds_it(desk, late_client):
    assert "Nothing bounds what is sold on credit" in text(desk.get(url("client_credit", late_client.pk)))


def test_a_limit_is_set_with_a_reason_by_somebody_who_may(managing, late_client):
    page = url("limit_set", late_client.pk)
    below = managing.post(page, {"amount": "-1", "currency": "EUR", "because": "why"})
    assert below.status_code == 422 and "zero or more" in text(below)
    assert managing.post(page, {"amount": "100", "currency": "EUR", "because": ""}).status_code == 422
    assert not CreditLimit.objects.exists()
    managing.post(page, {"amount": "12,500", "currency": "EUR", "because": "Bank guarantee"})
    kept = limit_of(late_client, "EUR", TODAY)
    assert (kept.amount, kept.because, kept.set_by) == (12500, "Bank guarantee", "Vera")
    assert "Bank guarantee" in text(managing.get(url("client_credit", late_client.pk)))


def test_who_may_not_finds_no_button_and_is_refused_anyway(desk, late_client):
    page = text(desk.get(url("client_credit", late_client.pk)))
    assert url("limit_set", late_client.pk) not in page and "needs a permission you do not have" in page
    refused = desk.post(url("limit_set", late_client.pk), {"amount": "100", "currency": "EUR", "because": "why"})
    assert refused.status_code == 422 and "You may not set a credit limit" in text(refused)
    refused = desk.post(url("status_set", late_client.pk), {"status": "closed", "because": "why"})
    assert "You may not set the credit status" in text(refused)
    facts = {"allows": "over_limit", "reason": "why", "expires_on": "2026-11-25"}
    assert "You may not" in text(desk.post(url("override_grant", late_client.pk), facts))
    assert not StatusChange.objects.exists() and not CreditOverride.objects.exists()


def test_a_status_is_set_with_reason_and_end_and_stands_above_every_page(managing, late_client):
    page = url("status_set", late_client.pk)
    past = managing.post(page, {"status": "cash_only", "because": "why", "ends_on": "2026-11-01"})
    assert past.status_code == 422 and "lies before today" in text(past)
    managing.post(page, {"status": "cash_only", "because": "Cheque came back", "ends_on": "2026-12-31"})
    change = status_of(late_client, TODAY)
    assert (change.status, change.source, change.ends_on) == ("cash_only", "hand", dt.date(2026, 12, 31))
    for name in ("client", "client_credit", "client_about", "client_timeline"):
        assert "Cash only" in text(managing.get(url(name, late_client.pk)))
    assert "nothing is sold on credit" in text(managing.get(url("client", late_client.pk)))


def test_the_page_says_truly_which_status_the_client_is_told_of(managing, late_client, good_client):
    page = url("status_set", late_client.pk)
    assert "Cash only is told to the client in a letter, closed is not" in text(managing.get(page))
    managing.post(page, {"status": "cash_only", "because": "why"})
    managing.post(url("status_set", good_client.pk), {"status": "closed", "because": "why"})
    told = tell_credit(late_client.company, TODAY, by=CLERK, hold_allowed=False)
    assert [message.party for message in told] == [f"client:{late_client.pk}"]


def test_days_and_deposit_belong_to_stricter_terms_only(managing, late_client):
    facts = {"because": "why", "terms_days": "7", "deposit_percent": "30"}
    managing.post(url("status_set", late_client.pk), facts | {"status": "watch"})
    assert status_of(late_client, TODAY).terms_days is None
    managing.post(url("status_set", late_client.pk), facts | {"status": "stricter"})
    change = status_of(late_client, TODAY)
    assert (change.terms_days, change.deposit_percent) == (7, 30)


def test_an_exception_has_a_last_day_and_can_be_ended(managing, late_client):
    page = url("override_grant", late_client.pk)
    facts = {"allows": "over_limit", "reason": "Trade fair"}
    assert managing.post(page, facts | {"expires_on": "2026-11-01"}).status_code == 422
    managing.post(page, facts | {"expires_on": "2026-11-30"})
    override = CreditOverride.objects.get()
    assert override.stands(TODAY)
    managing.post(url("override_end", override.pk))
    override.refresh_from_db()
    assert override.ended_by == "Vera"


def test_a_check_is_entered_with_its_report_and_asked_about_before_it_is_bought_again(desk, late_client):
    page = url("check_new", late_client.pk)
    facts = {
        "provider": "Agency", "checked_on": "2026-11-10", "score": "81", "scale_low": "0", "scale_high": "100",
        "recommended_limit": "12,000", "currency": "EUR", "flags": ["young_company"],
    }  # fmt: skip
    report = io.BytesIO(b"%PDF-1.7 report")
    report.name = "report.pdf"
    assert desk.post(page, facts | {"document": report}).status_code == 302
    check = CreditCheck.objects.get()
    assert (check.score, check.flags, check.recommended_limit) == (81, ["young_company"], 12000)
    assert check.documents.get().name == "report.pdf"
    again = desk.post(page, facts)
    assert again.status_code == 422 and "valid until" in text(again) and 'type="checkbox" name="again"' in text(again)
    desk.post(page, facts | {"again": "on", "reference": "77"})
    assert CreditCheck.objects.count() == 2
    assert "Young company" in text(desk.get(url("client_credit", late_client.pk)))


class Agency:
    """A provider that counts how often it is asked."""

    name = "Agency & Sons"
    asked = 0

    def fetch(self, client: Any) -> Found:
        self.asked += 1
        return Found({"score": 80})


def test_a_provider_whose_answer_still_counts_is_asked_again_only_when_somebody_says_so(desk, late_client, monkeypatch):
    agency = Agency()
    monkeypatch.setitem(_providers, agency.name, agency)
    order, page = url("check_order", late_client.pk), url("client_credit", late_client.pk)
    assert 'name="again"' not in text(desk.get(page))
    desk.post(order, {"provider": agency.name})
    answer = desk.post(order, {"provider": agency.name}, follow=True)
    assert "say that a new one is wanted all the same" in text(answer) and agency.asked == 1
    assert "Ask Agency &amp; Sons again all the same" in text(answer) and 'name="again" value="1"' in text(answer)
    desk.post(order, {"provider": agency.name, "again": "1"})
    assert (agency.asked, CreditCheck.objects.count()) == (2, 2)


def test_a_report_of_the_wrong_type_refuses_the_whole_check(desk, late_client):
    report = io.BytesIO(b"MZ")
    report.name = "report.exe"
    facts = {"provider": "Agency", "checked_on": "2026-11-10", "currency": "EUR", "document": report}
    refused = desk.post(url("check_new", late_client.pk), facts)
    assert refused.status_code == 422 and "of a type that is not kept" in text(refused)
    assert not CreditCheck.objects.exists() and not Document.objects.exists()


def test_a_file_of_checks_is_entered_whole_or_refused_by_line(desk, late_client):
    def upload(page: str, rows: str) -> Any:
        file = io.BytesIO(f"client,provider,checked_on,score\n{rows}".encode())
        file.name = "checks.csv"
        return desk.post(page, {"file": file})

    number = late_client.number
    refused = upload(url("checks_upload_all"), f"{number},Agency,2026-11-10,81\nC-9,Agency,2026-11-10,x\n")
    assert refused.status_code == 422 and "is not a number" in text(refused)
    assert [t.line for t in refused.context["troubles"]] == [3]
    assert not CreditCheck.objects.exists()
    upload(url("checks_upload_all"), f"{number},Agency,2026-11-10,81\n")
    upload(url("checks_upload", late_client.pk), ",Bank,2026-11-10,70\n")
    assert CreditCheck.objects.filter(client=late_client).count() == 2


def test_the_policy_says_why_and_the_decision_becomes_a_memo(desk, late_client):
    desk.post(
        url("check_new", late_client.pk),
        {"provider": "Agency", "checked_on": "2026-11-10", "score": "82", "scale_low": "0", "scale_high": "100",
         "recommended_limit": "3000", "currency": "EUR"},
    )  # fmt: skip
    page = text(desk.get(url("client_credit", late_client.pk)))
    assert "What the policy says today" in page and "limit €3,000.00" in page and "82 on 0 to 100: 82.0 %" in page
    desk.post(url("credit_decide", late_client.pk))
    decision = CreditDecision.objects.get()
    assert (decision.outcome, limit_of(late_client, "EUR", TODAY).amount) == ("accept", 3000)
    assert "decided so" in text(desk.get(url("client_credit", late_client.pk)))
    memo = text(desk.get(url("credit_memo", decision.pk)))
    assert "Credit memo" in memo and "82 on 0 to 100: 82.0 %" in memo and "data-print" in memo
    paper = desk.get(url("credit_memo_pdf", decision.pk))
    assert paper["Content-Type"] == "application/pdf" and paper.content.startswith(b"%PDF-")


def test_deciding_otherwise_takes_the_permission_a_reason_and_a_last_day(desk, late_client):
    page = url("credit_otherwise", late_client.pk)
    facts = {"outcome": "accept", "reason": "Bank guarantee", "expires_on": "2027-01-31"}
    refused = desk.post(page, facts)
    assert refused.status_code == 422 and "You may not decide otherwise" in text(refused)
    desk.force_login(make_manager())
    assert desk.post(page, facts | {"reason": ""}).status_code == 422
    assert desk.post(page, facts | {"expires_on": "2026-11-01"}).status_code == 422
    assert not CreditDecision.objects.exists()
    assert desk.post(page, facts).status_code == 302
    assert CreditDecision.objects.get().expires_on == dt.date(2027, 1, 31)
    assert "otherwise than the policy" in text(desk.get(url("client_credit", late_client.pk)))


@pytest.fixture
def proposal(late_client):
    limit(late_client, "1000")
    return LimitProposal.objects.create(
        client=late_client, currency="EUR", as_of=TODAY, risk="low", current=Decimal(1000), proposed=Decimal(1250),
        policy=credit_policy_of(late_client.company, TODAY),
        reasons=[{"code": "months", "saw": 8, "needs": 6, "leads_to": "up", "says": ""}],
        arithmetic={"lines": [{"code": "limit", "amount": "1000.00"}, {"code": "step_up", "amount": "250.00",
                    "percent": 25}, {"code": "proposed", "amount": "1250.00"}]},
    )  # fmt: skip


def test_a_proposed_limit_shows_its_arithmetic_and_is_approved(managing, late_client, proposal):
    page = text(managing.get(url("client_credit", late_client.pk)))
    assert "From €1,000.00 to €1,250.00 is proposed" in page
    assert "8 months of history; a limit grows from 6" in page and "Step up, 25 %" in page and "€250.00" in page
    managing.post(url("proposal_approve", proposal.pk))
    assert limit_of(late_client, "EUR", TODAY).amount == 1250


def test_a_proposal_is_rejected_with_a_reason_and_only_by_somebody_who_may(desk, late_client, proposal):
    assert "Approving needs a permission" in text(desk.get(url("client_credit", late_client.pk)))
    assert "You may not" in text(desk.post(url("proposal_approve", proposal.pk), follow=True))
    assert "You may not" in text(desk.post(url("proposal_reject", proposal.pk), {"reason": "no"}))
    desk.force_login(make_manager())
    assert desk.post(url("proposal_reject", proposal.pk), {"reason": ""}).status_code == 422
    desk.post(url("proposal_reject", proposal.pk), {"reason": "New owner"})
    proposal.refresh_from_db()
    assert (proposal.outcome, proposal.note, limit_of(late_client, "EUR", TODAY).amount) == (
        "rejected", "New owner", 1000,
    )  # fmt: skip


def test_a_draft_that_would_be_refused_says_so_with_the_ways_out(managing, late_client):
    limit(late_client, "500")
    draft = make_draft(late_client, "600")
    page = text(managing.get(url("invoice", draft.pk)))
    assert "It would be refused today" in page and "over the limit" in page
    assert url("pro_forma_new", draft.pk) in page and url("override_grant", late_client.pk) in page
    refused = managing.post(url("invoice_issue", draft.pk), {"do": "issue"}, follow=True)
    assert "€100.00 over the limit of €500.00" in text(refused)
    draft.refresh_from_db()
    assert draft.issued_at is None
    managing.post(url("invoice_issue", draft.pk), {"do": "issue", "delivered": "1"})
    draft.refresh_from_db()
    assert draft.issued_at is not None


def test_who_may_not_is_not_offered_what_only_others_may(desk, late_client):
    limit(late_client, "500")
    draft = make_draft(late_client, "600")
    page = text(desk.get(url("invoice", draft.pk)))
    assert "It would be refused today" in page and 'name="delivered"' not in page
    assert url("override_grant", late_client.pk) not in page
    refused = desk.post(url("invoice_issue", draft.pk), {"do": "issue", "delivered": "1"}, follow=True)
    assert "You may not invoice delivered work" in text(refused)


def test_an_exception_that_lets_a_draft_pass_is_named_on_it(managing, late_client):
    limit(late_client, "500")
    draft = make_draft(late_client, "600")
    facts = {"allows": "over_limit", "reason": "Trade fair", "expires_on": "2026-11-30"}
    managing.post(url("override_grant", late_client.pk), facts)
    page = text(managing.get(url("invoice", draft.pk)))
    assert "It passes by an exception" in page and "Trade fair" in page


def test_the_editor_warns_while_one_writes(desk, late_client):
    limit(late_client, "500")
    written = {
        "client": late_client.pk, "currency": "EUR", "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0,
        "lines-0-description": "Design", "lines-0-quantity": "1", "lines-0-unit_price": "450",
        "lines-0-tax_percent": "0", "lines-0-tax_category": "Z",
    }  # fmt: skip
    assert "uses 90 % of the limit" in text(desk.post(url("invoice_totals"), written))
    over = text(desk.post(url("invoice_totals"), written | {"lines-0-unit_price": "600"}))
    assert "over the limit" in over and "pro forma" in over
    quiet = text(desk.post(url("invoice_totals"), written | {"lines-0-unit_price": "100"}))
    assert "credit-warning" not in quiet
    assert "Available credit: €500.00 of limit €500.00; after this invoice €400.00" in quiet
    draft = make_draft(late_client, "120")
    assert "Available credit: €500.00 of limit €500.00; after this invoice €380.00" in text(
        desk.get(url("invoice", draft.pk))
    )
    set_status(late_client, "cash_only", because="Cheque came back", source="policy", on=TODAY, by="system")
    assert "buys for cash only" in text(desk.post(url("invoice_totals"), written | {"lines-0-unit_price": "100"}))
