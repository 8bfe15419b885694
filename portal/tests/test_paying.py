"""Paying from the page of an invoice: the sums it offers, the way to the provider and back, and nothing from a form."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from ar_collections.models import ContactLog, Task
from clients.models import Document
from core.models import CompanyDocument, PaymentMethod
from core.services import read_file, store_file
from invoices.models import Invoice
from invoices.services.issuing import void_invoice
from invoices.services.linking import link_for, link_for_statement, token_of
from payments.models import Checkout, Payment
from payments.services.crediting import issue_credit_note
from payments.services.receipts import make_receipt
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice, pay

NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def that_day():
    cache.clear()
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def card(company, settings):
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    return PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")


def address(invoice):
    link = link_for(invoice, invoice.client.contacts.first(), timezone.now())
    return f"/i/{link.pk}/{token_of(link)}/"


def words(answer):
    said = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(said.replace("\u00a0", " ").replace("\u202f", " ").split())


def terms(company, **facts):
    return Terms.objects.create(company=company, name=f"Terms {len(facts)}", **{"net_days": 30} | facts)


def send(client, invoice, what, **more):
    return client.post(address(invoice) + "pay/", {"what": what, "key": uuid.uuid4().hex, **more})


def test_the_button_leads_to_the_provider_for_what_is_owed(client, late_client, card):
    invoice = make_invoice(late_client, "1000")
    page = words(client.get(address(invoice)))
    assert page.index("Pay €1,000.00") < page.index("Or send a bank transfer")
    answer = send(client, invoice, "whole")
    assert answer.status_code == 303 and "/sandbox/" in answer.headers["Location"]
    assert Checkout.objects.get().amount == 1000
    invoice.refresh_from_db()
    assert invoice.balance == 1000, "money counts when the provider says so"


def test_a_sum_in_the_form_is_nothing(client, late_client, card):
    invoice = make_invoice(late_client, "1000")
    send(client, invoice, "whole", amount="0.01", sum="0.01", split='{"invoice:1": "0.01"}', currency="JPY")
    assert (Checkout.objects.get().amount, Checkout.objects.get().currency) == (1000, "EUR")


def test_the_same_form_twice_begins_one_payment(client, late_client, card):
    invoice = make_invoice(late_client)
    for _ in range(2):
        send(client, invoice, "whole", key=KEY)
    assert Checkout.objects.count() == 1


def test_the_key_of_somebody_elses_payment_is_no_way_into_it(client, late_client, good_client, card):
    send(client, make_invoice(good_client, "5"), "whole", key=KEY)
    send(client, make_invoice(late_client), "whole", key=KEY)
    assert sorted(Checkout.objects.values_list("client", "amount")) == sorted(
        [(good_client.pk, Decimal(5)), (late_client.pk, Decimal(1000))]
    )


@pytest.mark.parametrize("what", ["", "early", "due", "charges", "everything", "invoice:1"])
def test_a_sum_the_page_does_not_offer_is_refused_in_words(client, late_client, card, what):
    answer = send(client, make_invoice(late_client), what)
    assert answer.status_code == 422 and "Please choose again" in words(answer)
    assert not Checkout.objects.exists()


def test_without_a_provider_there_is_no_button_and_no_payment(client, late_client, settings):
    settings.PAYMENT_PROVIDERS = []
    invoice = make_invoice(late_client)
    assert b"/pay/" not in client.get(address(invoice)).content
    assert send(client, invoice, "whole").status_code == 422
    assert not Checkout.objects.exists()


def test_staff_and_a_get_begin_nothing(client, late_client, clerk, card):
    invoice = make_invoice(late_client)
    assert client.get(address(invoice) + "pay/").status_code == 405
    client.force_login(clerk)
    assert send(client, invoice, "whole").headers["Location"] == address(invoice)
    assert not Checkout.objects.exists()


def test_beginning_is_limited(client, late_client, card):
    invoice = make_invoice(late_client)
    assert [send(client, invoice, "whole").status_code for _ in range(21)][-1] == 429


def test_in_time_the_discount_is_offered_and_a_day_late_it_is_not(client, company, late_client, card, that_day):
    late_client.terms = terms(company, discount_percent=Decimal(2), discount_days=7)
    late_client.save()
    invoice = make_invoice(late_client, "1000")
    page = words(client.get(address(invoice)))
    assert "2 % discount, €20.00, if paid by 25 November 2026" in page.replace("2% ", "2 % ")
    assert "Pay €980.00" in page and "Pay €1,000.00" not in page
    assert "Or, arriving by 25 November 2026 €980.00" in page
    send(client, invoice, "early")
    assert Checkout.objects.get().amount == 980
    that_day.move_to(NOON + 8 * DAY)
    page = words(client.get(address(invoice)))
    assert "discount" not in page and "Pay €1,000.00" in page
    assert send(client, invoice, "early").status_code == 422


def test_in_parts_what_is_due_comes_first_and_the_rest_is_said(client, company, late_client, card):
    late_client.terms = terms(company, parts=[{"percent": "50", "days": 14}, {"percent": "50", "days": 30}])
    late_client.save()
    invoice = make_invoice(late_client, "1000")
    page = words(client.get(address(invoice)))
    assert "To pay now €500.00 Due in 14 days" in page and "Not yet due: €500.00, by 18 December 2026" in page
    assert page.index("Pay €500.00") < page.index("Pay €1,000.00 all of it")
    send(client, invoice, "due")
    assert Checkout.objects.get().amount == 500


def test_while_a_payment_is_on_its_way_the_page_says_so_and_offers_no_second(client, late_client, card):
    invoice = make_invoice(late_client)
    send(client, invoice, "whole")
    Checkout.objects.update(state="pending")
    page = client.get(address(invoice))
    assert "€1,000.00 is on its way to us." in words(page) and b'name="what"' not in page.content
    assert "we remind you" not in words(page)
    assert send(client, invoice, "whole").status_code == 422
    assert Checkout.objects.count() == 1


def test_where_only_a_part_is_on_its_way_no_silence_is_promised(client, late_client, card):
    """And what the same payment is for beside this invoice is nobody's business here."""
    invoice = make_invoice(late_client)
    send(client, invoice, "whole")
    split = {f"invoice:{invoice.pk}": "300", "invoice:999": "500"}
    Checkout.objects.update(state="pending", amount=800, split=split)
    page = words(client.get(address(invoice)))
    assert "€300.00 is on its way to us." in page and "€800" not in page
    assert "We send no reminders until it has arrived." not in page and "we remind you" in page


def test_a_payment_that_failed_is_told_and_can_be_tried_again(client, late_client, card):
    invoice = make_invoice(late_client)
    send(client, invoice, "whole")
    Checkout.objects.update(state="failed")
    page = words(client.get(address(invoice)))
    assert "The last payment did not go through, and nothing was charged." in page and "Pay €1,000.00" in page


# ── The way back ────────────────────────────────────────────────────────


def test_back_from_the_provider_to_the_invoice_without_recording_anything(client, late_client, card):
    invoice = make_invoice(late_client)
    send(client, invoice, "whole")
    key = Checkout.objects.get().key
    before = list(Checkout.objects.values())
    answer = client.get(f"/checkout/{key}/?next=https://elsewhere.example&redirect=//elsewhere.example")
    assert (answer.status_code, answer.headers["Location"]) == (303, address(invoice))
    assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]
    assert list(Checkout.objects.values()) == before


def test_back_from_the_provider_to_the_statement_by_a_page_of_ours(client, late_client, card):
    invoice = make_invoice(late_client)
    link = link_for_statement(late_client, late_client.contacts.get(), timezone.now())
    Checkout.objects.create(
        company=late_client.company, client=late_client, provider="sandbox", key=KEY, amount=1000, currency="EUR",
        split={f"invoice:{invoice.pk}": "1000"}, link=link, state="succeeded", started_at=timezone.now(),
        started_on=TODAY, changed_at=timezone.now(),
    )
    answer = client.get(f"/checkout/{KEY}/")
    assert answer.status_code == 200 and "Thank you" in words(answer) and "1,000" not in words(answer)


def test_the_way_back_ends_after_a_day_and_a_guess_leads_nowhere(client, late_client, card, that_day):
    send(client, make_invoice(late_client), "whole")
    key = Checkout.objects.get().key
    assert client.get(f"/checkout/{key}/").status_code == 303
    assert client.get(f"/checkout/{uuid.uuid4().hex}/").status_code == 404
    that_day.move_to(NOON + DAY + dt.timedelta(minutes=1))
    assert client.get(f"/checkout/{key}/").status_code == 404
    for _ in range(10):
        answer = client.get(f"/checkout/{uuid.uuid4().hex}/")
    assert answer.status_code == 429


# ── Proof of payment ────────────────────────────────────────────────────


def proof(content=b"%PDF-1.7 transfer", name="transfer.pdf"):
    file = io.BytesIO(content)
    file.name = name
    return file


def say_paid(client, invoice, file=None, **more):
    sent = {"key": str(uuid.uuid4()), "paid_on": "2026-11-17", "amount": "1000", "reference": "R1", "note": ""} | more
    return client.post(address(invoice) + "paid/", sent | ({"proof": file} if file else {}))


def test_a_proof_is_on_the_clients_file_and_named_on_the_task(client, late_client):
    assert say_paid(client, make_invoice(late_client), proof()).status_code == 303
    kept = Document.objects.get(client=late_client)
    assert (kept.kind, kept.name, kept.added_by) == ("payment_proof", "transfer.pdf", "client")
    assert read_file(kept.file.sha256) == b"%PDF-1.7 transfer"
    assert "proof of payment on file: transfer.pdf" in Task.objects.get(kind="matching").detail
    assert "transfer.pdf" in ContactLog.objects.get().said


def test_staff_open_the_proof_from_the_task(client, late_client, clerk):
    say_paid(client, make_invoice(late_client), proof())
    client.force_login(clerk)
    page = client.get("/collections/").content.decode()
    assert "Proof of payment: Harbour Lane Coffee" in page
    answer = client.get(re.search(r'href="(/documents/\d+/[^"]*|[^"]*document[^"]*)"[^>]*Proof of payment', page)[1])
    assert b"".join(answer) == b"%PDF-1.7 transfer" and answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html>", "transfer.pdf"), (b"MZ", "transfer.exe"), (b"<svg/>", "transfer.svg"), (b"", "empty.pdf"),
        (b"\x89PNG\r\n\x1a\n", "picture.html"), (b"%PDF-", "transfer.pdf.js"), (b"PK", "letter.docx"),
    ],
)
def test_what_is_no_proof_is_refused_in_words_and_nothing_is_told(client, late_client, content, name):
    answer = say_paid(client, make_invoice(late_client), proof(content, name))
    assert answer.status_code == 422 and 'id="paid" open' in answer.content.decode()
    assert not Document.objects.exists() and not Task.objects.exists() and not ContactLog.objects.exists()


def test_a_name_that_climbs_is_only_a_name(client, late_client):
    say_paid(client, make_invoice(late_client), proof(name="../../etc/x.pdf"))
    assert Document.objects.get().name == "x.pdf"


def test_more_than_ten_megabytes_never_arrive_and_the_form_says_so(client, late_client):
    answer = say_paid(client, make_invoice(late_client), proof(b"%PDF-" + b"x" * (10 * 2**20)))
    assert answer.status_code == 422 and "This file has more than 10 MB." in words(answer)
    assert not Document.objects.exists()


def test_beyond_thirty_nothing_is_read_at_all(client, late_client):
    at = address(make_invoice(late_client))
    answer = client.generic("POST", at + "paid/", b"", "multipart/form-data; boundary=x", CONTENT_LENGTH=2**40)
    assert answer.status_code == 413 and "A file may have 10 MB at most" in words(answer)


def test_ten_proofs_a_day_and_no_more(client, late_client):
    invoice = make_invoice(late_client)
    answers = [say_paid(client, invoice, proof(b"%%PDF-%d" % n, f"{n}.pdf")) for n in range(11)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [422]
    assert "many files today" in words(answers[-1]) and Document.objects.count() == 10


# ── Papers and states ───────────────────────────────────────────────────


def test_a_receipt_of_this_invoice_is_here_and_one_that_names_another_is_not(client, late_client):
    invoice, other = make_invoice(late_client, "100"), make_invoice(late_client, "50")
    alone = make_receipt(pay(late_client, "40", how={f"invoice:{invoice.pk}": Decimal(40)}), on=TODAY, by=CLERK)
    both = make_receipt(
        pay(late_client, "60", how={f"invoice:{invoice.pk}": Decimal(30), f"invoice:{other.pk}": Decimal(30)}),
        on=TODAY, by=CLERK,
    )
    page = words(client.get(address(invoice)))
    assert f"Receipt {alone.number}" in page and both.number not in page and str(other.number) not in page
    answer = client.get(address(invoice) + f"receipts/{alone.pk}/")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    for pk in (both.pk, 99999, 10**30):
        assert client.get(address(invoice) + f"receipts/{pk}/").status_code == 404


def test_receipts_of_other_clients_are_not_there(client, late_client, good_client):
    make_invoice(good_client, "10")
    foreign = make_receipt(pay(good_client, "10"), on=TODAY, by=CLERK)
    assert client.get(address(make_invoice(late_client)) + f"receipts/{foreign.pk}/").status_code == 404


def test_our_documents_are_there_while_they_hold_and_only_ours(client, company, late_client):
    file = store_file(b"<script>alert(1)</script>", "text/html")

    def document(name, **facts):
        facts = {"company": company, "kind": "tax_form", "file": file, "added_by": CLERK} | facts
        return CompanyDocument.objects.create(name=name, **facts)

    from tests.cast import make_company

    good = document('W-9 "2026"\r\nX-Evil: 1', valid_until=TODAY)
    gone = [
        document("Old", valid_until=TODAY - DAY), document("Removed", removed_at=timezone.now()),
        document("Foreign", company=make_company("zz")),
    ]  # fmt: skip
    at = address(make_invoice(late_client))
    page = words(client.get(at))
    assert "W-9" in page and not {"Old", "Removed", "Foreign"} & set(page.split())
    answer = client.get(at + f"documents/{good.pk}/")
    assert answer["Content-Disposition"].startswith("attachment;") and "X-Evil" not in answer.headers
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert [client.get(at + f"documents/{one.pk}/").status_code for one in gone] == [404] * 3


def test_void_and_replaced_leads_to_the_new_one_where_the_reader_has_a_link(client, late_client):
    old = make_invoice(late_client, "1000")
    at = address(old)
    void_invoice(old, reason="Wrong address", on=TODAY, by=CLERK)
    draft = make_draft(late_client, "900")
    Invoice.objects.filter(pk=draft.pk).update(replaces=old)
    draft.refresh_from_db()
    from invoices.services.issuing import issue_invoice

    new = issue_invoice(draft, on=TODAY, by=CLERK)
    page = client.get(at)
    assert f"Invoice {new.number} has taken its place." in words(page) and b"<a href=\"http" not in page.content
    theirs = address(new)
    assert theirs in client.get(at).content.decode()


def test_a_credited_invoice_says_so_and_does_not_thank(client, late_client):
    invoice = make_invoice(late_client, "1000")
    note = issue_credit_note(invoice, None, reason="Returned", key="n1", on=TODAY, by=CLERK)
    page = words(client.get(address(invoice)))
    assert "This invoice was taken back by a credit note." in page and "Thank you." not in page
    assert f"Credit note {note.number} -€1,000.00" in page


def test_a_pro_forma_is_not_paid_by_card(client, late_client, card):
    from invoices.pro_formas import ways_of
    from invoices.services.pro_forma import make_pro_forma

    pro_forma = make_pro_forma(make_draft(late_client), TODAY + 7 * DAY, on=TODAY, by=CLERK)
    assert [way.kind for way in ways_of(pro_forma, pro_forma.total)] == ["transfer", "cheque", "cash"]


def test_the_page_of_one_client_names_nobody_elses_money(client, company, late_client):
    stranger = make_client(company, "C-7", name="Quite Another GmbH")
    pay(stranger, "777.77")
    assert "777" not in words(client.get(address(make_invoice(late_client)))) and Payment.objects.exists()
