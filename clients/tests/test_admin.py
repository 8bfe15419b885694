"""The facts about trust in the admin: looked at, never changed there."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from clients.models import CreditLimit
from clients.services.checks import enter_check
from clients.services.deciding import decide_credit
from clients.services.filing import add_document, save_profile
from clients.services.limits import set_limit
from clients.services.status import set_status
from tests.cast import CLERK, TODAY, make_manager

pytestmark = pytest.mark.django_db


def test_every_fact_about_trust_is_read_and_none_is_changed(client, late_client):
    manager = make_manager()
    enter_check(late_client, {"provider": "Agency", "score": Decimal(80)}, on=TODAY, by=CLERK)
    decide_credit(late_client, on=TODAY, by=CLERK)
    set_status(late_client, "watch", because="slow", source="hand", on=TODAY, by=manager)
    add_document(late_client, "report.pdf", b"%PDF-1.7", by=CLERK)
    save_profile(late_client, None, {"url": "a.example"}, by=CLERK)
    client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
    for name in ("creditcheck", "creditdecision", "creditlimit", "statuschange", "document"):
        listed = client.get(reverse(f"admin:clients_{name}_changelist"), {"q": "Harbour"})
        assert "Harbour Lane Coffee" in listed.content.decode(), name
        assert client.get(reverse(f"admin:clients_{name}_add")).status_code == 403
    limit = set_limit(late_client, Decimal(7), "EUR", because="test", source="hand", on=TODAY, by=manager)
    page = reverse("admin:clients_creditlimit_change", args=[limit.pk])
    assert client.get(page).status_code == 200
    client.post(page, {"amount": "9"})
    assert CreditLimit.objects.get(pk=limit.pk).amount == 7
    assert "a.example" in client.get(reverse("admin:clients_client_change", args=[late_client.pk])).content.decode()
