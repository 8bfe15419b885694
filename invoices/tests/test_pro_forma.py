"""Pro formas: a number without gaps, facts that stay, a draft that waits, and a mail that says it is no invoice."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from pypdf import PdfReader

from clients.services.status import set_status
from core.errors import Refused
from core.services import read_file
from invoices.models import Invoice, LinkView, ProForma, Series, ShareLink
from invoices.pdf import pro_forma_pdf
from invoices.pro_formas import pay_by_words
from invoices.services.drafting import Heading, LineDraft, delete_draft, edit_draft
from invoices.services.linking import find, link_for_pro_forma, record_view, token_of
from invoices.services.pro_forma import cancel_pro_forma, make_pro_forma, send_pro_forma
from outbox.kinds import kind_of
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db

PAY_BY = dt.date(2026, 12, 2)
NOW = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)


def made(client, amount="1000", **heading):
    return make_pro_forma(make_draft(client, amount, tax="19", **heading), PAY_BY, on=TODAY, by=CLERK)


def plain(text):
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def said(pro_forma):
    content = read_file(pro_forma_pdf(pro_forma).sha256)
    return plain("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


def composed(message):
    return kind_of(message.kind).compose(message, NOW)


def test_it_has_a_number_of_a_series_of_its_own_and_owes_nothing(late_client):
    first, second = made(late_client), made(late_client, "500")
    assert (first.number, second.number) == ("LO-PF-2026-0001", "LO-PF-2026-0002")
    assert (first.total, first.currency, first.made_by) == (1190, "EUR", CLERK)
    assert first.invoice.number is None and first.invoice.balance == 0
    assert make_invoice(late_client).number == "LO-2026-0001", "the invoices' own numbers go on without it"


def test_the_numbers_have_no_gap_where_making_one_fails(late_client):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        made(late_client)
        _ = 1 / 0
    assert made(late_client).seq == 1
    assert Series.objects.get(kind="pro_forma").last == 1


def test_the_same_again_is_the_one_that_stands_and_another_day_is_refused(late_client):
    pro_forma = made(late_client)
    assert make_pro_forma(pro_forma.invoice, PAY_BY, on=TODAY, by=CLERK) == pro_forma
    with pytest.raises(Refused, match="cancel it before"):
        make_pro_forma(pro_forma.invoice, PAY_BY + dt.timedelta(days=1), on=TODAY, by=CLERK)


def test_while_it_stands_its_draft_neither_changes_nor_goes_away(late_client):
    pro_forma = made(late_client)
    for change in (
        lambda: edit_draft(pro_forma.invoice, [LineDraft("Less", Decimal(1), Decimal(1))], heading=Heading(), by=CLERK),
        lambda: delete_draft(pro_forma.invoice, by=CLERK),
    ):
        with pytest.raises(Refused, match=r"pro forma LO-PF-2026-0001.*cancel LO-PF-2026-0001 first") as refused:
            change()
        assert refused.value.code == "pro_forma"
    cancel_pro_forma(pro_forma, "Ordered something else", on=TODAY, by=CLERK)
    edit_draft(pro_forma.invoice, [LineDraft("Something else", Decimal(1), Decimal(250))], heading=Heading(), by=CLERK)
    assert made(late_client).number == "LO-PF-2026-0002"


def test_the_draft_of_a_cancelled_one_can_be_thrown_away_and_the_number_stays(late_client):
    pro_forma = made(late_client)
    cancel_pro_forma(pro_forma, "No longer wanted", on=TODAY, by=CLERK)
    cancel_pro_forma(pro_forma, "Again", on=TODAY, by=CLERK)
    delete_draft(pro_forma.invoice, by=CLERK)
    kept = ProForma.objects.get()
    assert (kept.number, kept.invoice, kept.cancelled_because) == ("LO-PF-2026-0001", None, "No longer wanted")
    assert "LO-PF-2026-0001" in said(kept)


def test_a_draft_whose_cancelled_pro_forma_the_client_has_seen_is_thrown_away_and_its_page_shut(late_client):
    pro_forma, now = made(late_client), timezone.now()
    link = link_for_pro_forma(pro_forma, late_client.contacts.get(), now)
    record_view(link, now)
    cancel_pro_forma(pro_forma, "No longer wanted", on=TODAY, by=CLERK)
    delete_draft(pro_forma.invoice, by=CLERK)
    assert not Invoice.objects.exists()
    assert LinkView.objects.get().link == link, "that it was seen stays on record"
    assert find("pro_forma", link.pk, token_of(link), now) is None


def test_an_order_waits_for_its_money_a_year_at_most(late_client):
    """A year mistyped as 9999 would have no day after it, and the private page none on which it shuts."""
    draft = make_draft(late_client)
    for pay_by in (TODAY + dt.timedelta(days=366), dt.date.max):
        with pytest.raises(Refused) as refused:
            make_pro_forma(draft, pay_by, on=TODAY, by=CLERK)
        assert (refused.value.code, refused.value.where) == ("too_late", "pay_by")
    assert make_pro_forma(draft, TODAY + dt.timedelta(days=365), on=TODAY, by=CLERK).number == "LO-PF-2026-0001"


def test_what_could_not_be_issued_is_not_asked_for_in_advance(late_client, company):
    careful = make_client(company, "C-7", po_required=True)
    closed = make_client(company, "C-8")
    set_status(closed, "closed", because="fraud", source="policy", on=TODAY, by="system")
    cases = [
        (make_draft(late_client), TODAY - dt.timedelta(days=1), "lies before today"),
        (make_invoice(late_client), PAY_BY, "is issued already"),
        (make_draft(late_client, "0"), PAY_BY, "over nothing"),
        (make_draft(careful), PAY_BY, "purchase order number"),
        (make_draft(closed), PAY_BY, "no longer sell"),
    ]
    for draft, day, sentence in cases:
        with pytest.raises(Refused, match=sentence):
            make_pro_forma(draft, day, on=TODAY, by=CLERK)
    assert not ProForma.objects.exists() and not Series.objects.filter(kind="pro_forma").exists()


def test_cancelling_wants_a_reason_and_ends_once_the_invoice_is_issued(late_client):
    pro_forma = made(late_client)
    with pytest.raises(Refused, match="Say why"):
        cancel_pro_forma(pro_forma, " ", on=TODAY, by=CLERK)
    pay(late_client, "1190", pro_forma=pro_forma)
    with pytest.raises(Refused, match="became the invoice LO-2026-0001"):
        cancel_pro_forma(pro_forma, "Too late", on=TODAY, by=CLERK)


def test_the_paper_says_that_it_is_no_invoice_and_what_happens_when_it_is_paid(late_client):
    words = said(made(late_client, po_number="PO-88213"))
    for part in (
        "Pro forma", "LO-PF-2026-0001", "€1,190.00", "Please pay by 2 December 2026", "Not an invoice",
        "This is a pro forma and not an invoice", "we go ahead with your order and send you the invoice",
        "VAT 19% on €1,000.00", "DE89 3704 0044 0532 0130 00", "PO-88213", "Mara Winter",
    ):
        assert part in words, part
    assert "instalments" not in words, "nothing is owed that could be paid in parts"
    assert re.search(r"RF\d\d", words.replace(" ", "")), "the reference is its own"


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("de", ("Proforma", "keine Rechnung", "Bitte zahlen Sie bis zum 2. Dezember 2026", "1.190,00 €")),
        ("fr", ("Pro forma", "n’est pas une facture", "2 décembre 2026", "1 190,00 €")),
    ],
)
def test_the_paper_speaks_the_clients_language(company, language, parts):
    words = said(made(make_client(company, "C-3", language=language)))
    for part in parts:
        assert part in words, (part, words)


def test_paper_is_letter_where_the_company_prints_on_letter(db):
    company = make_company("wb", currency="USD", country="US", paper="Letter", region="OR", city="Portland")
    pro_forma = make_pro_forma(make_draft(make_client(company, country="US")), PAY_BY, on=TODAY, by=CLERK)
    page = PdfReader(io.BytesIO(read_file(pro_forma_pdf(pro_forma).sha256))).pages[0]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (612, 792)


def test_its_facts_stay_whatever_changes_later(late_client):
    pro_forma = made(late_client)
    cancel_pro_forma(pro_forma, "Another order", on=TODAY, by=CLERK)
    other = LineDraft("Quite another thing", Decimal(1), Decimal(7))
    edit_draft(pro_forma.invoice, [other], heading=Heading(), by=CLERK)
    late_client.street = "Elsewhere 1"
    late_client.save()
    words = said(ProForma.objects.get(pk=pro_forma.pk))
    assert "Interface design" in words and "Speicherstadt 14" in words and "€1,190.00" in words


def test_the_mail_says_what_it_is_until_when_and_how_to_pay_with_link_and_paper(late_client):
    pro_forma = made(late_client)
    message = send_pro_forma(pro_forma, on=TODAY, by=CLERK)
    assert send_pro_forma(pro_forma, on=TODAY, by=CLERK) == message, "one that waits is the answer"
    mail = composed(message)
    link = ShareLink.objects.get(kind="pro_forma")
    assert plain(mail.subject) == (
        "Pro forma LO-PF-2026-0001 from Lumen & Oak Studio: €1,190.00 · Please pay within 14 days — by 2 December 2026"
    )
    for part in (
        "Hello Mara Winter,", "€1,190.00", "not an invoice", "send you the invoice, marked as paid",
        "DE89 3704 0044 0532 0130 00", "Our bank details never change by e-mail",
    ):
        assert part in plain(mail.text), part
        assert part in plain(re.sub("<[^>]+>", " ", mail.html)), part
    assert f"/p/{link.pk}/{token_of(link)}/" in mail.text
    ((name, media_type, content),) = mail.attachments
    assert (name, media_type) == ("LO-PF-2026-0001.pdf", "application/pdf") and content.startswith(b"%PDF")


def test_it_does_not_go_once_it_is_cancelled_or_paid(late_client):
    cancelled, paid = made(late_client), made(late_client)
    messages = [send_pro_forma(one, on=TODAY, by=CLERK) for one in (cancelled, paid)]
    kind = kind_of("pro_forma")
    assert [kind.may_go(m, NOW) for m in messages] == ["", ""]
    cancel_pro_forma(cancelled, "Not wanted", on=TODAY, by=CLERK)
    pay(late_client, "1190", pro_forma=paid)
    assert "was cancelled" in kind.may_go(messages[0], NOW)
    assert "became the invoice LO-2026-0001" in kind.may_go(messages[1], NOW) == kind.still(messages[1], NOW)
    for one in (cancelled, paid):
        with pytest.raises(Refused):
            send_pro_forma(one, on=TODAY, by=CLERK)


def test_a_client_nobody_can_write_to_is_said(company):
    pro_forma = made(make_client(company, "C-9", email=None))
    with pytest.raises(Refused, match="add a contact"):
        send_pro_forma(pro_forma, on=TODAY, by=CLERK)


def test_until_when_in_words(db):
    day = dt.date(2026, 12, 2)
    assert [pay_by_words(day, day - dt.timedelta(days=n), "en") for n in (14, 1, 0, -1)] == [
        "Please pay within 14 days — by 2 December 2026", "Please pay within 1 day — by 2 December 2026",
        "Please pay today — 2 December 2026", "Was to be paid by 2 December 2026",
    ]


def test_a_draft_shown_as_a_pro_forma_is_not_opened_as_an_invoice(late_client):
    """Each kind of link has a token of its own; the draft behind it stays unseen as an invoice."""
    from invoices.services.linking import find, link_for_pro_forma

    link = link_for_pro_forma(made(late_client), late_client.contacts.get(), timezone.now())
    assert find("pro_forma", link.pk, token_of(link), timezone.now()) == link
    assert find("invoice", link.pk, token_of(link), timezone.now()) is None
    assert Invoice.objects.get().issued_at is None
