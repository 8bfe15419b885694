"""The invoice by mail: what it says when it leaves, what goes with it, and when it may not go."""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from clients.models import Contact
from clients.services.wishes import remove_own_form, save_wishes
from core.errors import Refused
from invoices.mail_previews import as_read
from invoices.models import Intake, Invoice, ShareLink
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.linking import find, link_for, token_of
from invoices.services.sending import resend_invoice, send_invoice, send_new_link
from outbox.kinds import kind_of
from outbox.models import Message
from outbox.services import deliver
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice, pay

NOW = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)


def composed(message):
    return kind_of(message.kind).compose(message, NOW)


def plain(text):
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def test_it_says_how_much_by_when_how_to_pay_and_what_late_payment_costs(late_client):
    invoice = make_invoice(late_client, "5748.89", po_number="PO-88213")
    mail = composed(send_invoice(invoice, on=TODAY, by=CLERK))
    link = ShareLink.objects.get()
    assert plain(mail.subject) == (
        f"Invoice {invoice.number} from Lumen & Oak Studio: €5,748.89 · Due in 30 days — by 18 December 2026"
    )
    assert (mail.to_name, mail.to_addr) == ("Mara Winter", "ap@client.example")
    assert (mail.from_name, mail.reply_to) == ("Lumen & Oak Studio", "billing@lumenoak.example")
    for part in (
        "Hello Mara Winter,", "€5,748.89", "Due in 30 days — by 18 December 2026", "PO-88213",
        "DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "interest of 12% a year", "I have already paid",
        "I will pay on …", "Something is wrong", "I need a plan", "Our bank details never change by e-mail",
    ):
        assert part in plain(mail.text), part
        assert part in plain(re.sub("<[^>]+>", " ", mail.html)), part
    assert f"/i/{link.pk}/{token_of(link)}/" in mail.text
    for answer in ("paid", "promise", "query", "plan"):
        assert f"/i/{link.pk}/{token_of(link)}/{answer}/#{answer}" in mail.html


def on_terms(client, **facts):
    client.terms = Terms.objects.create(company=client.company, name="Agreed", late_percent=Decimal(12), **facts)
    client.save()
    return make_invoice(client, "1200")


def both_say(mail, *parts):
    for part in parts:
        assert part in plain(mail.text), part
        assert part in plain(html.unescape(re.sub("<[^>]+>", " ", mail.html))), part


HALVES = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]


def test_of_an_invoice_in_parts_it_says_how_much_is_due_by_when_and_what_comes_later(late_client):
    invoice = on_terms(late_client, net_days=30, parts=HALVES)
    mail = composed(send_invoice(invoice, on=TODAY, by=CLERK))
    assert plain(mail.subject).endswith("€1,200.00 · €600.00: Due in 14 days — by 2 December 2026")
    both_say(
        mail, "Invoice total", "€600.00: Due in 14 days — by 2 December 2026",
        "Not yet due: €600.00, by 18 December 2026",
        "On each part that is unpaid after its day we may charge interest of 12% a year.",
    )
    assert "Amount due" not in mail.text and "Amount due" not in mail.html
    pay(late_client, "600", how={f"invoice:{invoice.pk}": Decimal(600)})
    later = composed(send_invoice(Invoice.objects.get(), on=TODAY, by=CLERK))
    both_say(later, "Still to pay", "€600.00: Due in 30 days — by 18 December 2026")
    assert "Not yet due" not in later.text


def test_it_offers_the_discount_for_paying_early(late_client):
    invoice = on_terms(late_client, net_days=30, discount_percent=Decimal(2), discount_days=10)
    offer = "2 % discount, €24.00, if paid by 28 November 2026: then please pay €1,176.00."
    both_say(composed(send_invoice(invoice, on=TODAY, by=CLERK)), "€1,200.00", offer)


def test_the_pdf_goes_with_it(late_client):
    invoice = make_invoice(late_client)
    ((name, media_type, content),) = composed(send_invoice(invoice, on=TODAY, by=CLERK)).attachments
    assert (name, media_type) == (f"{invoice.number}.pdf", "application/pdf")
    assert content.startswith(b"%PDF")


def test_the_form_of_their_own_that_a_client_asked_for_goes_with_it_byte_for_byte(late_client):
    invoice = make_invoice(late_client)
    first = send_invoice(invoice, on=TODAY, by=CLERK)
    save_wishes(late_client, {}, ("Form 7.pdf", b"%PDF-1.7 theirs"), on=TODAY, by=CLERK)
    other = Contact.objects.create(client=late_client, name="Jo", email="jo@client.example")
    again = resend_invoice(invoice, contact=other, on=TODAY, by=CLERK)
    for mail in (composed(first), composed(again), as_read(invoice, other, "de", NOW)):
        assert mail.attachments[-1] == ("Form 7.pdf", "application/pdf", b"%PDF-1.7 theirs")
        assert mail.attachments[-2][0] == f"{invoice.number}.pdf"
    remove_own_form(late_client, by=CLERK)
    assert "Form 7.pdf" not in [name for name, _kind, _content in composed(again).attachments]


def test_an_item_taken_over_goes_with_its_statement(late_client):
    draft = draft_invoice(late_client, [LineDraft("Open item", Decimal(1), Decimal(250))], by=CLERK)
    draft.intake = Intake.objects.create(company=late_client.company, source="book.csv", taken_by=CLERK)
    draft.save()
    mail = composed(send_invoice(issue_invoice(draft, on=TODAY, by=CLERK), on=TODAY, by=CLERK))
    assert mail.attachments[0][2].startswith(b"%PDF")
    assert "Please find attached the statement of" in mail.text


@pytest.mark.parametrize(
    ("language", "subject", "answer"),
    [
        ("de", "Rechnung LO-2026-0001 von Lumen & Oak Studio: 1.000,00 € · Fällig in 30 Tagen", "Ich zahle am …"),
        ("fr", "Facture LO-2026-0001 de Lumen & Oak Studio : 1 000,00 € · À payer sous 30 jours", "Je paierai le …"),
    ],
)
def test_it_is_written_in_the_readers_language(company, language, subject, answer):
    mail = composed(send_invoice(make_invoice(make_client(company, language=language)), on=TODAY, by=CLERK))
    assert plain(mail.subject).startswith(subject)
    assert answer in mail.text and answer in mail.html


def test_it_is_written_from_the_facts_of_the_moment_it_leaves(late_client):
    invoice = make_invoice(late_client, "1000")
    message = send_invoice(invoice, on=TODAY, by=CLERK)
    pay(late_client, "400")
    mail = composed(message)
    assert "€600.00" in mail.subject and "of €1,000.00" in plain(mail.text)
    pay(late_client, "600")
    mail = composed(message)
    assert mail.subject.endswith("(paid)") and "is paid. Thank you." in mail.text
    assert "IBAN" not in mail.text and "interest" not in mail.text


def test_voided_meanwhile_it_does_not_go(late_client):
    invoice = make_invoice(late_client)
    message = send_invoice(invoice, on=TODAY, by=CLERK)
    void_invoice(invoice, reason="Wrong client", on=TODAY, by=CLERK)
    assert kind_of("invoice").may_go(message, NOW) == f"{invoice} was voided"


def test_to_somebody_who_left_meanwhile_it_does_not_go(late_client):
    message = send_invoice(make_invoice(late_client), on=TODAY, by=CLERK)
    Contact.objects.update(is_active=False)
    assert "cannot arrive" in kind_of("invoice").may_go(message, NOW)


def test_a_second_click_changes_nothing_and_a_second_sending_is_a_message_of_its_own(late_client):
    invoice = make_invoice(late_client)
    first = send_invoice(invoice, on=TODAY, by=CLERK)
    assert send_invoice(invoice, on=TODAY, by=CLERK).pk == first.pk
    Message.objects.filter(pk=first.pk).update(state="sent")
    second = send_invoice(invoice, on=TODAY, by=CLERK)
    assert (first.key, second.key) == (f"invoice:{invoice.pk}:send:1", f"invoice:{invoice.pk}:send:2")
    jo = Contact.objects.create(client=late_client, name="Jo Reed", email="jo@client.example")
    assert send_invoice(invoice, contact=jo, on=TODAY, by=CLERK).key == f"invoice:{invoice.pk}:send:3"


def test_it_leaves_ten_seconds_later_so_that_it_can_be_taken_back(late_client):
    before = timezone.now()
    message = send_invoice(make_invoice(late_client), on=TODAY, by=CLERK)
    assert dt.timedelta(seconds=9) < message.not_before - before < dt.timedelta(seconds=15)


def test_accounts_payable_comes_before_others_and_the_invoices_own_contact_before_both(late_client):
    owner = Contact.objects.create(client=late_client, name="Boss", email="boss@client.example", role="owner")
    Contact.objects.filter(role="accounts_payable").delete()
    Contact.objects.create(client=late_client, name="Mara Winter", email="ap@client.example")
    assert composed(send_invoice(make_invoice(late_client), on=TODAY, by=CLERK)).to_name == "Mara Winter"
    assert composed(send_invoice(make_invoice(late_client, contact=owner), on=TODAY, by=CLERK)).to_name == "Boss"


def test_what_cannot_be_sent_is_refused_with_what_to_do(company, late_client):
    with pytest.raises(Refused, match="issue it first"):
        send_invoice(make_draft(late_client), on=TODAY, by=CLERK)
    void = void_invoice(make_invoice(late_client), reason="x", on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="is void"):
        send_invoice(void, on=TODAY, by=CLERK)
    nobody = make_invoice(make_client(company, "C-9", email=None))
    with pytest.raises(Refused, match="add a contact") as refused:
        send_invoice(nobody, on=TODAY, by=CLERK)
    assert refused.value.where == "contact"
    with pytest.raises(Refused, match="not a contact of"):
        send_invoice(nobody, contact=late_client.contacts.get(), on=TODAY, by=CLERK)
    Contact.objects.update(bounced_at=NOW)
    with pytest.raises(Refused, match="cannot arrive"):
        send_invoice(make_invoice(late_client), contact=late_client.contacts.get(), on=TODAY, by=CLERK)
    assert not Message.objects.exists()


def test_each_mail_that_carries_the_link_renews_it(late_client):
    invoice = make_invoice(late_client)
    link = link_for(invoice, late_client.contacts.get(), NOW)
    ShareLink.objects.update(expires_at=NOW)
    assert find("invoice", link.pk, token_of(link), NOW) is None
    composed(send_invoice(invoice, on=TODAY, by=CLERK))
    assert find("invoice", link.pk, token_of(link), NOW) == link


def test_a_fresh_link_by_mail_opens(late_client):
    invoice = make_invoice(late_client)
    link = link_for(invoice, late_client.contacts.get(), NOW)
    ShareLink.objects.update(revoked_at=NOW)
    link.refresh_from_db()
    mail = composed(send_new_link(link, on=TODAY))
    number, token = re.search(r"/i/(\d+)/([\w-]{43})/", mail.text).groups()
    assert int(number) != link.pk
    assert find("invoice", int(number), token, NOW).invoice == invoice
    assert not mail.attachments


def test_hostile_names_stay_text_in_the_mail(company):
    nasty = '<script>alert(1)</script> {{ 7|add:7 }} "'
    company.name = nasty
    company.save()
    buyer = make_client(company, "C-9", name=nasty)
    buyer.contacts.update(name=nasty)
    mail = composed(send_invoice(make_invoice(buyer, po_number=nasty), on=TODAY, by=CLERK))
    assert "<script" not in mail.html and "&lt;script&gt;" in mail.html
    assert nasty in mail.text and "{{ 7|add:7 }}" in mail.subject


@pytest.mark.django_db(transaction=True)
def test_the_outbox_sends_it_once_with_the_stored_bytes(settings, tmp_path):
    """Through the real outbox into a file: composed outside any transaction, the PDF kept by its hash."""
    settings.MAIL_DIR = tmp_path
    invoice = make_invoice(make_client(make_company()))
    send_invoice(invoice, on=TODAY, by=CLERK, not_before=timezone.now())
    assert deliver(timezone.now())["sent"] == 1
    assert deliver(timezone.now())["sent"] == 0
    message, invoice = Message.objects.get(), Invoice.objects.get()
    assert message.state == "sent"
    assert message.attachments[0]["sha256"] == invoice.pdf.sha256
