"""The demo book: a year of two companies, written by the same verbs that the desk uses, day by day until today.

Everything follows from the seed and today's date; nothing is drawn from anybody's real book.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ar_collections.services import days
from clients.models import Client
from clients.services import save_client, save_contact
from clients.services.limits import set_limit
from core.dates import is_business_day
from core.errors import Refused
from core.models import Company
from core.money import round_money
from invoices.documents import recipient
from invoices.einvoice import vat_number
from invoices.models import Invoice, ShareLink
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from invoices.services.linking import record_view
from invoices.services.sending import send_invoice
from invoices.tax_proposal import propose_tax
from outbox.services import deliver
from payments.models import Checkout
from payments.services import record_payment
from policies.founding import found_company
from policies.models import Terms

from . import again, cards, cast, papers, trust
from .agreed import agree
from .ahead import ordered_on
from .talk import told_on

SEED = "lumen-and-oak"
DAYS = 365
SENT = 6  # days since invoices leave by mail from here
CHASED = 16  # days since the companies have been reminding


@dataclass
class Book:
    """What is being written: the companies, the clients by number, and what happens on which day."""

    on: dt.date
    by: Any
    rng: random.Random
    clients: dict[str, Client] = field(default_factory=dict)
    companies: list[Company] = field(default_factory=list)
    days: dict[dt.date, list[Callable[[], object]]] = field(default_factory=lambda: defaultdict(list))
    invoices: int = 0
    cards: dict[str, Checkout] = field(default_factory=dict)

    def at(self, on: dt.date, act: Callable[[], object]) -> None:
        """Something happens on a day; what lies after today has not happened yet."""
        if on <= self.on:
            self.days[on].append(act)


@contextmanager
def story_time(on: dt.date, hour: int = 9, minute: int = 12) -> Iterator[None]:
    """While the book is written, the clock shows the day told of; every instant kept is one of the story."""
    at = dt.datetime.combine(on, dt.time(hour, minute), tzinfo=dt.UTC)
    now = timezone.now
    with mock.patch.object(timezone, "now", lambda: min(at, now())):
        yield


def begin(on: dt.date, hire: Callable[[], Any]) -> Book:
    """Two companies, their clerk and their clients, a year ago. Refused where there already is a company."""
    if Company.objects.exists():
        raise Refused(
            "This database already has a company; the demo book only goes into an empty one.", code="not_empty"
        )
    by = hire()
    book = Book(on, by, random.Random(SEED))  # noqa: S311  a story, not a secret
    with story_time(on - dt.timedelta(days=DAYS + 20)):
        for facts, bank, methods, buyers in (
            (cast.BERLIN, cast.BERLIN_BANK, cast.BERLIN_METHODS, cast.EURO_CLIENTS),
            (cast.PORTLAND, cast.PORTLAND_BANK, cast.PORTLAND_METHODS, cast.DOLLAR_CLIENTS),
        ):
            company = found_company(
                facts, bank, net_days=30, late_percent=Decimal(12 if facts["country"] == "US" else 9), by=by,
                methods=methods, terms_name="30 days",
            )
            usual = company.terms.get()
            Terms.objects.create(company=company, name="14 days", net_days=14, late_percent=usual.late_percent)
            book.companies.append(company)
            trust.publish_terms(company, on - dt.timedelta(days=DAYS), by)
            for buyer in buyers:
                book.clients[buyer.number] = _client(company, buyer, on - dt.timedelta(days=DAYS), by)
                _plan(book, buyer)
        cards.offer_cards(book.companies)
    for number, ago, amount, because in trust.GROWN:
        client, day = book.clients[number], on - dt.timedelta(days=ago)
        facts = {"because": because, "source": "review", "on": day, "by": by}
        book.at(day, partial(set_limit, client, Decimal(amount), client.currency, **facts))
    agree(book.at, book.companies, book.clients, on, by)
    signed_on = on - dt.timedelta(days=DAYS - 20)
    for company in book.companies:
        book.at(signed_on, partial(_accept, book, company, signed_on))
    return book


def _accept(book: Book, company: Company, on: dt.date) -> None:
    trust.accept(company, book.clients, timezone.now(), on, book.by)


def _client(company: Company, buyer: cast.Buyer, on: dt.date, by: Any) -> Client:
    street, postal_code, city, country = buyer.place
    client = save_client(
        None,
        {
            "company": company, "number": buyer.number, "name": buyer.name, "legal_name": buyer.legal_name,
            "street": street, "postal_code": postal_code, "city": city, "region": buyer.region, "country": country,
            "language": buyer.language, "time_zone": buyer.time_zone, "currency": company.currency,
            "terms": company.terms.get(net_days=buyer.net_days), "po_required": buyer.po_required, "owner": by,
            "tax_number": trust.TAX_NUMBERS.get(buyer.number, ""),
        },
        by=by, starting_limit=False,
    )
    if buyer.number in trust.LIMITS:
        amount = Decimal(trust.LIMITS[buyer.number])
        set_limit(client, amount, client.currency, because="taken over as agreed", source="import", on=on, by=by)
    for person in buyer.people:
        save_contact(client, None, person._asdict() | {"time_zone": ""}, by=by)
    return client


def _plan(book: Book, buyer: cast.Buyer) -> None:
    """Spread a client's invoices over the year, the last ones close to today, and its payments after them."""
    client, rng = book.clients[buyer.number], book.rng
    gap = (DAYS - 12) / buyer.invoices
    for n in range(buyer.invoices):
        issued_on = book.on - dt.timedelta(days=int(2 + gap * (buyer.invoices - 1 - n) + rng.uniform(0, gap * 0.6)))
        issued_on -= dt.timedelta(days=max(0, issued_on.weekday() - 4))
        pays_on = issued_on + dt.timedelta(days=buyer.net_days + rng.randint(*buyer.late))
        share = Decimal("0.5") if buyer.part_payer and n == buyer.invoices - 2 else Decimal(1)
        method = rng.choices(["transfer", "cheque", "cash"], [18, 3, 1])[0]
        lines = _lines(client, buyer.size, rng)
        book.at(issued_on, _bill(book, client, lines, buyer, issued_on, pays_on, share, method))
    for late in buyer.hangs:
        issued_on = book.on - dt.timedelta(days=late + buyer.net_days)
        lines = _lines(client, buyer.size, rng)
        book.at(issued_on, _bill(book, client, lines, buyer, issued_on, None, Decimal(1), ""))


def _bill(
    book: Book, client: Client, lines: list[LineDraft], buyer: cast.Buyer, issued_on: dt.date, pays_on: dt.date | None,
    share: Decimal, method: str,
) -> Callable[[], None]:
    order = buyer.po_required or book.rng.random() < 0.4
    heading = Heading(po_number=f"PO-{book.rng.randint(61000, 93000)}" if order else "")

    def bill() -> None:
        invoice = issue_invoice(draft_invoice(client, lines, heading=heading, by=book.by), on=issued_on, by=book.by)
        book.invoices += 1
        if pays_on is not None:
            book.at(pays_on, lambda: _pay(book, invoice, pays_on, share, method))

    return bill


def _pay(book: Book, invoice: Invoice, on: dt.date, share: Decimal, method: str) -> None:
    invoice.refresh_from_db(fields=["balance"])
    amount = round_money(invoice.balance * share, invoice.currency)
    if amount:
        record_payment(
            invoice.client, amount, invoice.currency, received_on=on, key=f"demo:{invoice.pk}", by=book.by,
            method=method, reference=invoice.reference if method == "transfer" else invoice.number or "",
            how={f"invoice:{invoice.pk}": amount}, on=on,
        )


def _lines(client: Client, size: int, rng: random.Random) -> list[LineDraft]:
    """One to three lines of work that come to about the client's usual size."""
    home = client.company.country
    number, _other = vat_number(client.tax_number, client.country)
    proposed = propose_tax(home, client.country, number, Decimal(19) if home == "DE" else Decimal(0))
    tax, category = proposed.percent, proposed.category
    wanted, lines = Decimal(round(size * rng.uniform(0.55, 1.5))), []
    for what, unit, price in rng.sample(cast.WORK, rng.randint(1, 3)):
        quantity = max(Decimal(1), _halves(wanted / price / 2) if unit else round(wanted / price / 2, 0))
        lines.append(LineDraft(what, quantity, price, tax_percent=tax, tax_category=category, unit=unit))
        wanted -= quantity * price
        if wanted <= 100:
            break
    if wanted > 100:
        hours = _halves(wanted / 110) or Decimal(1)
        lines.append(
            LineDraft("Project direction", hours, Decimal(110), tax_percent=tax, tax_category=category, unit="h")
        )
    return lines


def _halves(hours: Decimal) -> Decimal:
    """Hours as they are booked, to the half hour.

    >>> _halves(Decimal("9.4"))
    Decimal('9.5')
    """
    return round(hours * 2, 0) / 2


def write(book: Book, say: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Let the year pass, day by day: what happens on a day may put something on a later one."""
    first = book.on - dt.timedelta(days=DAYS)
    for n in range(DAYS + 1):
        day = first + dt.timedelta(days=n)
        with story_time(day):
            for act in book.days.pop(day, []):
                act()
        say(n, DAYS + CHASED)


def chase(book: Book, say: Callable[[int, int], None]) -> None:
    """The ladder, day by day until yesterday; mail is written to files whatever is configured: nobody is written to."""
    in_story = partial(deliver, clock=lambda: timezone.now())
    with mock.patch.object(days, "deliver", in_story), mock.patch.object(settings, "MAIL_TRANSPORT", "file"):
        for n in range(CHASED, -1, -1):
            day = book.on - dt.timedelta(days=n)
            with story_time(day):
                if is_business_day(day):
                    days.run_day(book.companies, day, send=n > 0, by="system")
            with story_time(day, 14, 20):
                if n:
                    told_on(n, day, book.clients, book.by)
                    ordered_on(n, day, book.clients, book.by)
                    cards.paid_by_card_on(n, day, book.clients, book.cards)
                    trust.trusted_on(n, day, book.companies, book.clients, book.by)
                    _send_new(book, day)
                    papers.corrected_on(n, day, book.companies, book.clients, book.by)
            say(DAYS + CHASED - n, DAYS + CHASED)


def _send_new(book: Book, day: dt.date) -> None:
    """Invoices of the last days leave by mail on the day they are issued; one of the readers opens it at once."""
    if (book.on - day).days > SENT:
        return
    for invoice in Invoice.objects.issued().filter(issued_on=day).order_by("pk"):
        if recipient(invoice.client) is not None:
            send_invoice(invoice, on=day, by=book.by, not_before=timezone.now())
    deliver(timezone.now(), only=Q(kind="invoice"), clock=lambda: timezone.now())
    for link in ShareLink.objects.filter(invoice__issued_on=day, client__number__in=cast.OPENS_AT_ONCE):
        record_view(link, timezone.now())


def write_demo(
    on: dt.date, hire: Callable[[], Any], say: Callable[[int, int], None] = lambda done, total: None
) -> Book:
    """The clerk whom ``hire`` makes and the whole book in one transaction; then the ladder over it, outside of any.

    Mails are written and documents printed after the commit, here as everywhere.
    """
    with transaction.atomic():
        book = begin(on, hire)
        write(book, say)
    chase(book, say)
    with story_time(on, 8, 40), mock.patch.object(settings, "MAIL_TRANSPORT", "file"):
        trust.today(book.companies, book.clients, on, by=book.by)
        again.today(book.clients, on, by=book.by)
        deliver(timezone.now(), clock=lambda: timezone.now())
    return book
