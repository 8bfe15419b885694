"""A new client, from the first check to a raised limit after six good months.

Nobody knows Tidewater Books. A check is bought once, the policy decides by it, the limit is conservative and enforced.
Six months of invoices paid on time speak for a step up; the review proposes it with its reasons, a person says yes.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ar_collections.models import LimitProposal
from ar_collections.services.reviewing import approve_proposal, review_limits
from clients.services import save_client
from clients.services.checks import enter_check
from clients.services.deciding import decide_credit
from clients.services.limits import limit_of
from core.dates import add_months
from core.errors import Refused
from core.money import plain
from tests.cast import make_company, make_invoice, make_manager, pay
from tests.collecting import a_day

pytestmark = pytest.mark.django_db

FIRST = dt.date(2026, 1, 7)


def test_six_good_months_raise_a_limit():
    company, manager = make_company(), make_manager()
    client = save_client(
        None, {"company": company, "number": "C-0100", "name": "Tidewater Books", "country": "DE", "currency": "EUR"},
        by=manager,
    )
    client.contacts.create(name="Ida Brandt", email="ida@tidewater.example")

    # The check is bought once, and the policy decides by it: accepted, with no more than the starting limit.
    check = {
        "provider": "Bureau", "score": Decimal(82), "recommended_limit": Decimal(20000), "currency": "EUR",
        "valid_until": dt.date(2026, 12, 31),
    }
    enter_check(client, check, on=FIRST, by=manager)
    with pytest.raises(Refused) as bought_already:
        enter_check(client, check, on=FIRST, by=manager)
    assert bought_already.value.code == "still_valid"
    decision = decide_credit(client, on=FIRST, by=manager)
    assert (decision.outcome, limit_of(client, "EUR", FIRST).amount) == ("accept", 5000)

    # The limit holds at the moment of invoicing.
    with pytest.raises(Refused) as too_much:
        make_invoice(client, "5000.01", on=FIRST)
    assert too_much.value.code == "over_limit"

    # Month after month: an order, an invoice, paid on its day. The reviews on the way change nothing.
    for month in range(6):
        on = add_months(FIRST, month)
        invoice = make_invoice(client, "1800", on=on)
        a_day(company, on)
        assert invoice.due_on is not None and not LimitProposal.objects.filter(outcome="").exists()
        pay(client, "1800", on=invoice.due_on)
        a_day(company, invoice.due_on)
    assert LimitProposal.objects.filter(note="Nothing changes.").exists()

    # With half a year of proof the review in its turn proposes a step, says why, and waits for a person.
    turn = dt.date(2026, 7, 7)
    proposal = LimitProposal.objects.get(outcome="")
    assert (proposal.as_of, proposal.client) == (turn, client) and review_limits(company, turn, by="system") == []
    assert (proposal.risk, plain(proposal.current, "EUR"), plain(proposal.proposed, "EUR")) == (
        "low", "5000.00", "6250.00"
    )
    assert [(line["code"], line["amount"]) for line in proposal.arithmetic["lines"]] == [
        ("limit", "5000.00"), ("step_up", "1250.00"), ("proposed", "6250.00")
    ]
    said = " · ".join(reason["says"] for reason in proposal.reasons)
    assert "100 % of the invoices paid on time" in said and "0 days late on average" in said
    assert limit_of(client, "EUR", turn).amount == 5000

    approve_proposal(proposal, on=turn, by=manager)
    history = list(client.credit_limits.values_list("amount", "source", "set_by").order_by("pk"))
    assert history[-1] == (6250, "review", "Vera")
    assert make_invoice(client, "6250", on=turn).issued_on == turn
