"""An invoice that was taken back is written anew: the new one says which it replaces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import Refused
from invoices.models import Invoice
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.replacing import replace_invoice
from payments.services import issue_credit_note
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Any:
    return make_client(make_company())


def test_a_void_invoice_is_written_anew_with_its_lines(client: Any) -> None:
    wrong = make_invoice(client, "1000", tax="19", po_number="PO-1", note="as agreed")
    void_invoice(wrong, reason="wrong hours", on=TODAY, by=CLERK)
    draft = replace_invoice(wrong, by=CLERK)
    assert (draft.replaces, draft.issued_at, draft.total, draft.po_number) == (wrong, None, wrong.total, "PO-1")
    assert replace_invoice(wrong, by=CLERK) == draft
    issued = issue_invoice(draft, on=TODAY, by=CLERK)
    assert replace_invoice(wrong, by=CLERK) == issued
    assert list(wrong.replaced_by.all()) == [issued]


def test_one_credited_in_full_as_well_but_not_in_part(client: Any) -> None:
    wrong = make_invoice(client, "1000")
    with pytest.raises(Refused, match="stands: void it"):
        replace_invoice(wrong, by=CLERK)
    issue_credit_note(wrong, {1: Decimal("0.5")}, reason="a", key="c1", on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="stands: void it"):
        replace_invoice(wrong, by=CLERK)
    issue_credit_note(wrong, None, reason="b", key="c2", on=TODAY, by=CLERK)
    assert replace_invoice(wrong, by=CLERK).total == 1000


def test_a_draft_is_changed_and_not_replaced(client: Any) -> None:
    with pytest.raises(Refused, match="changed, not replaced"):
        replace_invoice(make_draft(client), by=CLERK)
    assert Invoice.objects.count() == 1
