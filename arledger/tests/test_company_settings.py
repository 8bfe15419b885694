"""What an administrator sets for a company's documents and ways to pay, on one page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Any) -> Any:
    client.force_login(User.objects.create_superuser("root", password="correct horse battery"))
    return client


def test_design_paper_receipts_and_a_way_to_pay_with_its_bounds_are_set(admin, company):
    url = reverse("admin:core_company_change", args=[company.pk])
    page = admin.get(url)
    text = page.content.decode()
    assert "Documents" in text and "Receipts go out by themselves" in text and "plain: black on white" in text
    data: dict[str, Any] = {}
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    form = page.context["adminform"].form
    data |= {name: form[name].value() or "" for name in form.fields if name != "sends_receipts"}
    company.payment_methods.filter(kind="cash").delete()
    data |= {
        "design": "plain", "paper": "Letter",
        "payment_methods-TOTAL_FORMS": 1, "payment_methods-0-company": company.pk, "payment_methods-0-kind": "cash",
        "payment_methods-0-largest": "500.00", "payment_methods-0-is_active": "on",
    }  # fmt: skip
    assert "A sum needs its currency" in admin.post(url, data).content.decode()
    answer = admin.post(url, data | {"payment_methods-0-currency": "EUR"})
    assert answer.status_code == 302
    company.refresh_from_db()
    assert (company.design, company.paper, company.sends_receipts) == ("plain", "Letter", False)
    cash = company.payment_methods.get(kind="cash")
    assert (cash.smallest, cash.largest) == (None, Decimal(500))
