"""What a client's office asks of our invoices, and the documents every client can get."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from audit.models import Event
from clients.models import Wishes
from clients.services.company_documents import add_company_document, documents_for_clients, remove_company_document
from clients.services.wishes import remove_own_form, save_wishes
from core.errors import Refused
from core.services import read_file
from tests.cast import CLERK, TODAY, make_client, make_company

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 a form"


@pytest.fixture
def client() -> Any:
    return make_client(make_company())


def test_wishes_are_kept_with_who_told_them_and_when(client: Any) -> None:
    kept = save_wishes(
        client, {"po_required": True, "extra_fields": [{"label": " Cost centre ", "value": "4711"}, {}],
                 "cover_page": True, "cover_text": "For Ms Winter", "note": "By the 25th"},
        form=("form.pdf", PDF), on=TODAY, by="Mara Winter",
    )  # fmt: skip
    client.refresh_from_db()
    assert client.po_required
    assert kept.extra_fields == [{"label": "Cost centre", "value": "4711"}]
    assert (kept.cover_page, kept.told_by, kept.version) == (True, "Mara Winter", 1)
    assert read_file(kept.own_form.sha256) == PDF and kept.own_form_name == "form.pdf"
    assert Event.objects.get(action="wishes_told").client_id == client.pk


def test_what_is_not_said_stays_and_the_same_again_changes_nothing(client: Any) -> None:
    save_wishes(client, {"note": "Please by the 25th"}, form=("form.pdf", PDF), on=TODAY, by=CLERK)
    save_wishes(client, {"cover_page": True}, on=TODAY, by=CLERK)
    again = save_wishes(client, {"cover_page": True}, on=TODAY, by=CLERK)
    assert (again.note, again.own_form_name, again.version) == ("Please by the 25th", "form.pdf", 2)
    assert Event.objects.filter(action="wishes_told").count() == 2
    remove_own_form(client, by=CLERK)
    remove_own_form(client, by=CLERK)
    assert Wishes.objects.get().own_form is None


@pytest.mark.parametrize(
    ("facts", "form", "where"),
    [
        ({"extra_fields": [{"label": "", "value": "4711"}]}, None, "extra_fields"),
        ({"extra_fields": [{"label": f"Field {n}", "value": ""} for n in range(9)]}, None, "extra_fields"),
        ({"extra_fields": [{"label": "x" * 41, "value": ""}]}, None, "extra_fields"),
        ({"extra_fields": [{"label": "PO", "value": ""}, {"label": "po", "value": ""}]}, None, "extra_fields"),
        ({"note": "x" * 1001}, None, "note"),
        ({}, ("form.exe", b"MZ"), "file"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is(client: Any, facts: Any, form: Any, where: str) -> None:
    with pytest.raises(Refused) as refused:
        save_wishes(client, facts, form=form, on=TODAY, by=CLERK)
    assert refused.value.where == where
    assert not Wishes.objects.exists()


def test_two_people_do_not_overwrite_each_other(client: Any) -> None:
    seen = save_wishes(client, {"note": "a"}, on=TODAY, by=CLERK).version
    save_wishes(client, {"note": "b"}, on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="meanwhile"):
        save_wishes(client, {"note": "c"}, version=seen, on=TODAY, by=CLERK)


def test_a_document_is_uploaded_once_and_shown_while_it_is_valid(client: Any) -> None:
    company = client.company
    form = add_company_document(
        company, ("w9.pdf", PDF), kind="tax_form", name="Form W-9", valid_until=TODAY, on=TODAY, by=CLERK
    )
    again = add_company_document(company, ("w9.pdf", PDF), kind="tax_form", name="Form W-9", on=TODAY, by=CLERK)
    assert again == form
    assert list(documents_for_clients(company, TODAY)) == [form]
    assert not documents_for_clients(company, TODAY + dt.timedelta(days=1))
    remove_company_document(form, by=CLERK)
    assert not documents_for_clients(company, TODAY)
    assert read_file(form.file.sha256) == PDF


@pytest.mark.parametrize(
    ("file", "facts", "where"),
    [
        (("list.csv", b"a,b\n1,2\n"), {}, "file"), (("w9.pdf", b"<html>"), {}, "file"),
        (("w9.pdf", PDF), {"kind": "song"}, "kind"),
        (("w9.pdf", PDF), {"valid_until": TODAY - dt.timedelta(days=1)}, "valid_until"),
    ],
)  # fmt: skip
def test_what_clients_cannot_use_is_refused(client: Any, file: Any, facts: Any, where: str) -> None:
    with pytest.raises(Refused) as refused:
        add_company_document(client.company, file, **{"kind": "other", "on": TODAY, "by": CLERK} | facts)
    assert refused.value.where == where
