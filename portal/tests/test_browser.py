"""The client's page in a real browser: accessible in every state and size, working without JavaScript."""

from __future__ import annotations

import datetime as dt
import gzip
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from ar_collections.models import ContactLog, Promise
from core.models import CompanyDocument, PaymentMethod
from core.services import store_file
from disputes.services import open_dispute
from invoices.models import LinkCode, LinkView, ShareLink
from invoices.services.codes import code_of, make_code
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.linking import link_for, link_for_statement, token_of
from payments.models import Checkout
from payments.services.checkouts import start_checkout
from payments.services.crediting import issue_credit_note
from payments.services.receipts import make_receipt
from policies.models import Terms
from tests.browser import signed_in
from tests.cast import CLERK, make_client, make_invoice, pay
from tests.looking import RULES, SIZES, check

TELEPHONE = {"telephone": SIZES["telephone"]}
EVERY_RULE = RULES | {"rules": {"target-size": {"enabled": True}}}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def path_of(invoice: Any) -> str:
    link = link_for(invoice, invoice.client.contacts.get(), timezone.now())
    return f"/i/{link.pk}/{token_of(link)}/"


def bare(page: Any, address: str, sizes: Any = SIZES) -> list[str]:
    """What axe finds on a page, with every rule of WCAG 2.2 AA on, also those it leaves off by itself."""
    return check(page, address, sizes=sizes, rules=EVERY_RULE)


@pytest.fixture
def card(company, settings, live_server):
    settings.PUBLIC_URL, settings.PAYMENT_PROVIDERS = live_server.url, ["sandbox"]
    return PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")


@pytest.mark.once
def test_every_state_is_accessible_fits_and_obeys_the_content_security_policy(page, company, late_client, card):
    today = timezone.now().astimezone(company.zone).date()
    CompanyDocument.objects.create(
        company=company, kind="tax_form", name="W-9", file=store_file(b"%PDF-1.4", "application/pdf"), added_by=CLERK
    )
    halves = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
    late_client.terms = Terms.objects.create(company=company, name="In parts", net_days=30, parts=halves)
    in_parts = make_invoice(late_client, "5748.89", on=today, tax="19", po_number="PO-88213")
    late_client.terms = Terms.objects.create(
        company=company, name="Early", net_days=30, discount_percent=Decimal(2), discount_days=7
    )
    early = make_invoice(late_client, "900", on=today)
    overdue = make_invoice(late_client, "1000", on=today - 45 * DAY)
    pay(late_client, "300", how={f"invoice:{overdue.pk}": Decimal(300)}, on=today)
    paid = make_invoice(late_client, "70", on=today)
    make_receipt(pay(late_client, "70", how={f"invoice:{paid.pk}": Decimal(70)}, on=today), on=today, by=CLERK)
    void = void_invoice(make_invoice(late_client, "5", on=today), reason="Twice", on=today, by=CLERK)
    credited = make_invoice(late_client, "6", on=today)
    issue_credit_note(credited, None, reason="Returned", key="c", on=today, by=CLERK)
    german = make_client(company, "C-3", language="de", name="Speicherstadt Kaffeerösterei GmbH & Co. KG")
    disputed = make_invoice(german)
    open_dispute(disputed, reason="price", text="Zu teuer", on=today, by="client")
    french = make_invoice(make_client(company, "C-4", language="fr"), "12345678.90", on=today)
    flying = make_invoice(make_client(company, "C-5"), on=today)
    start_checkout(
        link_for(flying, flying.client.contacts.get(), timezone.now()), {f"invoice:{flying.pk}": flying.balance},
        at=timezone.now(), on=today,
    )
    Checkout.objects.update(state="pending")
    whole = [path_of(early), path_of(in_parts) + "paid/", path_of(in_parts) + "wishes/", statement_of(late_client)]
    assert [line for address in whole for line in bare(page, address)] == []
    shown = (overdue, paid, void, credited, disputed, french, flying)
    small = [path_of(invoice) for invoice in shown]
    small += [path_of(early) + "query/", path_of(early) + "forward/", f"/i/1/{'x' * 43}/"]
    small += [statement_of(late_client) + "code/"]
    assert [line for address in small for line in bare(page, address, TELEPHONE)] == []

    page.goto(statement_of(late_client) + "code/")
    make_code(ShareLink.objects.get(kind="statement"), timezone.now())
    page.fill("#six", code_of(LinkCode.objects.get()))
    page.click("button.go")
    page.wait_for_selector(".claims")
    chosen = f"pay/?claim=invoice:{overdue.pk}&claim=invoice:{early.pk}"
    assert [line for path in ("", chosen) for line in bare(page, statement_of(late_client) + path)] == []
    assert bare(page, statement_of(late_client) + "pay/", TELEPHONE) == []


def statement_of(client: Any) -> str:
    link = link_for_statement(client, client.contacts.get(), timezone.now())
    return f"/s/{link.pk}/{token_of(link)}/"


@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_weighs_less_than_30_kilobytes(browser, live_server, company, card, language, capsys):
    """Everything a browser fetches for a page that has everything: HTML as it is sent, static files as production sends
    them (WhiteNoise keeps them compressed), without the PDF."""
    today = timezone.now().astimezone(company.zone).date()
    reader = make_client(company, "C-9", language=language)
    reader.terms = Terms.objects.create(
        company=company, name="Early", net_days=30, discount_percent=Decimal(2), discount_days=7
    )
    lines = [LineDraft(f"Design, part {n}", Decimal(n), Decimal(100), detail="As ordered") for n in range(1, 9)]
    make_invoice(reader, on=today)
    invoice = issue_invoice(draft_invoice(reader, lines, by=CLERK), on=today, by=CLERK)
    for width in (390, 1280):
        sizes: dict[str, tuple[int, int]] = {}
        context = browser.new_context(base_url=live_server.url, viewport={"width": width, "height": 844})
        page = context.new_page()
        page.on("response", lambda answer, sizes=sizes: sizes.update({answer.url: weights(answer)}))
        page.goto(path_of(invoice))
        page.wait_for_load_state("networkidle")  # what a script might fetch later counts too
        context.close()
        sent, plain = (sum(pair[n] for pair in sizes.values()) for n in (0, 1))
        assert any(url.endswith("client.css") for url in sizes) and any(url.endswith(".js") for url in sizes)
        with capsys.disabled():
            print(f"\nclient page, {language}, {width} px: {sent:,} bytes sent, {plain:,} uncompressed")
        assert sent < 30_000, sizes


def weights(answer: Any) -> tuple[int, int]:
    """What an answer weighs as it is sent, and uncompressed; a page's own HTML is never compressed."""
    if answer.status != 200:
        return 0, 0
    body = answer.body()
    kept = len(gzip.compress(body, 9)) if "/static/" in answer.url else len(body)
    return min(kept, len(body)), len(body)


def test_on_a_telephone_the_code_is_folded_away_and_on_a_desk_it_shows(page, company, late_client):
    address = path_of(make_invoice(late_client))
    for width, shown in ((390, False), (1280, True)):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(address)
        assert page.locator(".qr img").is_visible() is shown
        assert page.locator(".bank dt").first.inner_text() == "IBAN"
    page.set_viewport_size({"width": 390, "height": 844})
    page.click(".scan summary")
    assert page.locator(".qr img").is_visible()


def test_the_sum_follows_what_is_ticked(page, company, late_client, good_client, client, live_server, clerk):
    first, second = make_invoice(late_client, "1000"), make_invoice(late_client, "250.50")
    signed_in(page, live_server, client, clerk)
    page.goto(statement_of(late_client))
    button = page.locator(".claims button.go")
    assert button.inner_text() == "Pay €1,250.50"
    page.uncheck(f"[value='invoice:{first.pk}']")
    assert button.inner_text() == "Pay €250.50"
    page.uncheck(f"[value='invoice:{second.pk}']")
    assert button.is_disabled()


def test_printed_it_has_what_paper_needs_and_no_buttons(page, company, late_client):
    page.goto(path_of(make_invoice(late_client)))
    page.emulate_media(media="print")
    assert page.locator(".bank").is_visible() and page.locator(".items").is_visible()
    for gone in (".acts", ".go", ".pdf", ".skip"):
        assert not page.locator(gone).first.is_visible(), gone


def test_a_refused_answer_is_accessible_and_in_sight(page, company, late_client):
    today = timezone.now().astimezone(company.zone).date()
    address = path_of(make_invoice(late_client, on=today))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    page.click("#promise summary")
    page.fill("#promise_promised_for", (today + 400 * DAY).isoformat())
    page.click("#promise form button")
    assert page.locator("#promise [role=alert]").inner_text().startswith("This was not sent:")
    top = "document.querySelector('#promise [role=alert]').getBoundingClientRect().top"
    page.wait_for_function(f"0 <= {top} && {top} < 844")  # it goes there once it is shown
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.input_value("#promise_promised_for") == (today + 400 * DAY).isoformat()


@pytest.mark.parametrize("scripts", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_a_promise_from_a_telephone(browser, live_server, company, late_client, scripts):
    """The whole way: the page sends no referrer, so the browser posts «Origin: null», and the form still arrives."""
    today = timezone.now().astimezone(company.zone).date()
    invoice = make_invoice(late_client, on=today)
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(path_of(invoice))
    page.click("#promise summary")
    page.fill("#promise_promised_for", (today + 33 * DAY).isoformat())
    page.click("#promise form button")
    page.wait_for_url("**/#told")
    assert page.locator("#told").inner_text().count("We send no reminders about this invoice") == 1
    context.close()
    assert Promise.objects.get().promised_for == today + 33 * DAY
    assert ContactLog.objects.get().outcome == "promised"


def test_it_counts_as_seen_when_a_browser_shows_it_but_not_to_us(page, live_server, late_client, clerk, client):
    page.clock.install()  # the page's clock goes on when we say so
    page.clock.pause_at(timezone.now() + DAY)
    page.goto(path_of(make_invoice(late_client)))
    assert not LinkView.objects.exists()
    with page.expect_response(lambda answer: answer.url.endswith("/seen/") and answer.status == 204):
        page.clock.run_for(1_600)
    assert LinkView.objects.count() == 1
    signed_in(page, live_server, client, clerk)
    page.goto(path_of(make_invoice(late_client)))
    page.clock.run_for(5_000)
    page.wait_for_load_state("networkidle")
    assert LinkView.objects.count() == 1


def test_the_iban_is_copied_first_and_the_code_waits_on_a_telephone(page, live_server, late_client):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path_of(make_invoice(late_client)))
    buttons = page.locator(".bank dl button")
    assert buttons.first.get_attribute("aria-label") == "Copy IBAN"
    buttons.first.click()
    page.wait_for_selector("[data-said]:text-is('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == "DE89370400440532013000"
    assert not page.locator(".qr img").is_visible()
    page.click(".scan summary")
    assert page.locator(".qr img").is_visible()
    page.set_viewport_size({"width": 1200, "height": 900})
    page.reload()
    assert page.locator(".qr img").is_visible() and not page.locator(".scan summary").is_visible()
