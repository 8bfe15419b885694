"""The memo of a credit decision: short, on either paper, naming the rules that led to it."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from pypdf import PdfReader

from clients.services.checks import enter_check
from clients.services.deciding import decide_credit
from invoices.memo import credit_memo, credit_memo_pdf
from tests.cast import CLERK, TODAY, make_client, make_company, make_manager

pytestmark = pytest.mark.django_db


def decided(client, score=50, **how):
    facts = {"provider": "Agency", "score": Decimal(score), "flags": ["young_company"], "findings": "Founded 2025."}
    enter_check(client, facts | {"recommended_limit": Decimal(8000)}, on=TODAY, by=CLERK)
    return decide_credit(client, on=TODAY, by=how.pop("by", CLERK), **how)


@pytest.mark.parametrize(("paper", "sheet"), [("A4", (595, 842)), ("Letter", (612, 792))])
def test_the_memo_prints_on_the_companys_paper_with_the_rules_and_the_check(db, paper, sheet):
    client = make_client(make_company(paper=paper, language="de"), "C-7", name="Zilver & Co <b>")
    decision = decided(client)
    content = credit_memo_pdf(decision)
    (page,) = PdfReader(io.BytesIO(content)).pages
    said = " ".join(page.extract_text().replace("\u00a0", " ").split())
    for part in (
        "Credit decision", "Stricter terms", "Zilver & Co <b>", "14 days to pay.", "€2,500.00", "18 November 2026",
        "Ada Kowalska", "What led to it: The score says how far (50 on 0 to 100: 50.0 %)", "Flag: young company",
        "50 % of 5000.00", "50 on a scale from 0 (worst) to 100 (best)", "€8,000.00", "Founded 2025.", "Page 1 of 1",
    ):
        assert part in said, part
    assert (round(page.mediabox.width), round(page.mediabox.height)) == sheet
    assert credit_memo_pdf(decision) == content


def test_an_exception_says_until_when_and_why(late_client):
    decision = decided(
        late_client, by=make_manager(), outcome="accept", reason="a guarantee of the parent", limit=Decimal(9000),
        expires_on=TODAY + dt.timedelta(days=30),
    )  # fmt: skip
    memo = credit_memo(decision)
    assert memo.exception == "Decided otherwise than the policy until 18 December 2026: a guarantee of the parent"
    assert (memo.decision, memo.limit, memo.terms) == ("Accept", "€9,000.00", "On the terms agreed.")
    led = [rule.says for rule in memo.rules if rule.decided]
    assert led == ["A person decided otherwise", "A person set the limit: 9000 EUR"]
    assert ("Holds until", "18 December 2026") in [(row.label, row.value) for row in memo.facts]


@pytest.mark.parametrize(
    ("score", "terms"), [(30, "Paid in advance, or cash on delivery."), (10, "We do not sell to this client.")]
)
def test_without_credit_there_is_no_limit(late_client, score, terms):
    memo = credit_memo(decided(late_client, score))
    assert (memo.terms, memo.limit) == (terms, "None")
