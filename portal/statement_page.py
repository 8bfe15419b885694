"""What the statement shows once it is open: all that a client owes, by currency, and how to pay it together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from clients.models import Client
from core.dates import show_day
from core.money import places, plain, show
from invoices.models import Extension, Invoice
from invoices.more_time import extension_words
from invoices.paying import Row, Way, card_for, offered, ways_to_pay
from invoices.paying import freeze_ways as ways_of_today
from invoices.services.extending import extensions_of
from invoices.services.parts import due_lines
from payments.services import unapplied_cash
from policies.terms import due_words

from .offer import Offer
from .papers import Paper, document_rows, receipt_rows, receipts_of_client
from .payable import Owed, chosen_of, owed_by

LONGEST_REFERENCE = 120  # characters of a transfer's text that every bank keeps


@dataclass(frozen=True)
class Line:
    """One claim of the statement: its key, what it is, by when, how much is paid by choosing it."""

    key: str
    name: str
    detail: str
    more: tuple[str, ...]
    is_late: bool
    amount: str
    minor: int
    is_chosen: bool
    pdf: str


@dataclass(frozen=True)
class Block:
    """What is open in one currency."""

    currency: str
    lines: tuple[Line, ...]
    total: str
    held: str
    digits: int


@dataclass(frozen=True)
class StatementPage:
    """Everything on the page, in the reader's language."""

    company: str
    initial: str
    accent: str
    email: str
    phone: str
    client: str
    as_of: str
    blocks: tuple[Block, ...]
    receipts: tuple[Paper, ...]
    documents: tuple[Paper, ...]


@dataclass(frozen=True)
class Together(Offer):
    """What was chosen to be paid together: the claims, their sum, and how to pay it."""

    lines: tuple[Line, ...]
    amount: str
    sums: tuple[Row, ...]
    ways: tuple[Way, ...]
    has_card: bool
    claims: dict[str, Decimal]


def statement_page(client: Client, on: dt.date, language: str) -> StatementPage:
    """The statement of a client on a day, read and never written."""
    company = client.company
    owed = owed_by(client, on)
    held = {currency: amount for currency, amount in unapplied_cash(client).items() if amount > 0}
    return StatementPage(
        company=company.name, initial=company.name[:1].upper(), accent=company.accent, email=company.email,
        phone=company.phone, client=client.name, as_of=show_day(on, language),
        blocks=tuple(
            _block(currency, [one for one in owed if one.currency == currency], held.get(currency), on, language)
            for currency in sorted({one.currency for one in owed} | held.keys())
        ),
        receipts=receipt_rows(receipts_of_client(client), language),
        documents=document_rows(company, on),
    )


def together(client: Client, keys: Collection[str], on: dt.date, language: str) -> Together | None:
    """What was chosen, as it stands now; None where nothing of it is open with this client any more."""
    chosen = chosen_of(owed_by(client, on), keys)
    if not chosen:
        return None
    currency, total = chosen[0].currency, sum((one.amount for one in chosen), Decimal(0))
    numbers = list(dict.fromkeys(str(one.invoice.number) for one in chosen))
    reference = chosen[0].invoice.reference if len(numbers) == 1 else " ".join(numbers)
    if len(reference) > LONGEST_REFERENCE:
        reference = client.number
    card = card_for(client, currency, total, [one.invoice for one in chosen])
    about = Invoice(company=client.company, client=client, currency=currency)
    return Together(
        lines=_lines(chosen, on, language),
        amount=show(total, currency, language),
        sums=(Row(_("Amount"), show(total, currency, language), _to_copy(total, currency, language)),),
        ways=ways_to_pay(
            {**ways_of_today(about), "seller": {"legal_name": client.company.legal_name or client.company.name}},
            amount=total, currency=currency, reference=reference, number=reference,
        ) if _has_ways(client, currency, total) else (),
        has_card=card is not None and not any(one.in_flight for one in chosen),
        claims={one.key: one.amount for one in chosen},
    )


def _has_ways(client: Client, currency: str, total: Decimal) -> bool:
    return any(method.kind != "card" for method in offered(client.company, client, currency, total))


def _block(currency: str, owed: list[Owed], held: Decimal | None, on: dt.date, language: str) -> Block:
    total = sum((one.open for one in owed), Decimal(0))
    return Block(
        currency=currency, lines=_lines(owed, on, language),
        total=show(total, currency, language), held=show(held, currency, language) if held else "",
        digits=places(currency),
    )


def _lines(owed: Sequence[Owed], on: dt.date, language: str) -> tuple[Line, ...]:
    agreed = extensions_of([one.invoice for one in owed if one.charge is None], on)
    return tuple(_line(one, on, language, agreed.get(one.invoice.pk)) for one in owed)


def _line(one: Owed, on: dt.date, language: str, agreed: Extension | None = None) -> Line:
    invoice, currency = one.invoice, one.currency
    assert invoice.due_on is not None
    more = []
    if one.charge is None:
        name, detail = str(invoice.number), due_words(invoice.due_on, on, language)
        more += due_lines(invoice, on, language, one.due)[1:]
        if agreed is not None:
            more.append(extension_words(agreed, language))
        if one.early is not None:
            more.append(one.early.words(language))
        elif one.open < invoice.total:
            more.append(_("of %(total)s") % {"total": show(invoice.total, currency, language)})
    else:
        kinds = {"interest": _("Interest"), "fee": _("Late fee"), "compensation": _("Compensation")}
        name = kinds[one.charge.kind]
        detail = _("on invoice %(number)s") % {"number": invoice.number}
    if one.is_disputed:
        more.append(_("You told us that something is wrong; we look at it."))
    if one.in_flight:
        more.append(_("%(amount)s is on its way to us.") % {"amount": show(one.in_flight, currency, language)})
    return Line(
        key=one.key, name=name, detail=detail, more=tuple(more), is_late=invoice.due_on < on and agreed is None,
        amount=show(one.amount, currency, language), minor=int(one.amount.scaleb(places(currency))),
        is_chosen=one.is_chosen, pdf="" if one.charge or invoice.is_taken_over else f"invoices/{invoice.pk}/",
    )


def _to_copy(amount: Decimal, currency: str, language: str) -> str:
    return plain(amount, currency).replace(".", "." if language == "en" else ",")
