"""Made-up documents: a plain one to change in tests, and random ones as a real seller could write them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import strategies as st

from einvoicing.codes import CASH, EU, REASON_CODES, SEPA_TRANSFER, TRANSFER, unit_code
from einvoicing.document import (
    CREDIT_NOTE,
    INVOICE,
    Account,
    Address,
    Adjustment,
    Document,
    Line,
    Party,
    Payment,
    Preceding,
    TaxGroup,
    Totals,
)

DAY = dt.date(2026, 11, 18)
SELLER = Party(
    "Lumen & Oak Studio GmbH", Address("DE", "Oranienstr. 58", "10969", "Berlin"), "Lumen & Oak Studio",
    vat_number="DE136695976", email="billing@lumenoak.example", phone="+49 30 5550 147",
)
BUYER = Party("Osprey Logistics AG", Address("AT", "Ring 3", "1010", "Wien"), vat_number="ATU13585627", number="C-0102")
ACCOUNT = Account("Lumen & Oak Studio GmbH", "DE89370400440532013000", bic="COBADEFFXXX")


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP) + 0


def line(
    quantity: str = "24", price: str = "120", percent: str = "19", category: str = "S", number: int = 1, **facts: object
) -> Line:
    """A line as the norm wants it: what is taken off has a quantity below zero."""
    count, each = Decimal(quantity), Decimal(price)
    return Line(
        str(number), f"Work {number}", count, unit_code("h"), each, rounded(count * each), category, Decimal(percent),
        **facts,  # type: ignore[arg-type]
    )


def document(*lines: Line, adjustments: tuple[Adjustment, ...] = (), **facts: object) -> Document:
    """A document over these lines whose sums agree."""
    lines = lines or (line(),)
    places = facts.pop("places", 2)
    nets: dict[tuple[str, Decimal], Decimal] = {}
    for one in lines:
        nets[one.category, one.percent] = nets.get((one.category, one.percent), Decimal(0)) + one.net
    for one in adjustments:
        key = (one.category, one.percent)
        nets[key] = nets.get(key, Decimal(0)) + (one.amount if one.is_charge else -one.amount)
    groups = tuple(
        TaxGroup(
            category, percent, net, rounded(net * percent / 100, places),  # type: ignore[arg-type]
            reason="" if category in ("S", "Z") else f"Why {category} bears no tax",
            reason_code=REASON_CODES.get(category, ""),
        )
        for (category, percent), net in nets.items()
    )
    charges = sum((a.amount for a in adjustments if a.is_charge), Decimal(0))
    allowances = sum((a.amount for a in adjustments if not a.is_charge), Decimal(0))
    of_lines = sum((one.net for one in lines), Decimal(0))
    net, tax = of_lines + charges - allowances, sum((group.tax for group in groups), Decimal(0))
    paid = Decimal(str(facts.pop("paid", 0)))
    rounding = Decimal(str(facts.pop("rounding", 0)))
    made = Document(
        kind=INVOICE, number="LO-2026-0147", issued_on=DAY, currency="EUR", seller=SELLER, buyer=BUYER, lines=lines,
        groups=groups, adjustments=adjustments, delivered_on=DAY, due_on=DAY + dt.timedelta(days=30),
        payment=Payment(SEPA_TRANSFER, accounts=(ACCOUNT,), reference="RF14LO20260147"), places=places,  # type: ignore[arg-type]
        totals=Totals(
            lines=of_lines, allowances=allowances, charges=charges, net=net, tax=tax, total=net + tax, paid=paid,
            rounding=rounding, due=net + tax - paid + rounding,
        ),
    )
    return replace(made, **facts)  # type: ignore[arg-type]


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40).map(
    lambda text: f"W{text}"
)
_RATES = st.sampled_from(["19", "7", "20", "5.5", "8.1", "25.5", "2.1"])


@st.composite
def _lines(draw: st.DrawFn, places: int) -> tuple[Line, ...]:
    """Lines of one kind of sale: taxed at several rates with zero-rated and exempt ones, or of one category alone."""
    alone = draw(st.sampled_from(["", "", "", "AE", "K", "G", "O"]))
    made: list[Line] = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        category = alone or draw(st.sampled_from(["S", "S", "S", "Z", "E"]))
        percent = Decimal(draw(_RATES)) if category == "S" else Decimal(0)
        quantity = draw(st.decimals(Decimal("0.0001"), Decimal(5000), places=4))
        price = draw(st.decimals(0, Decimal(2000), places=6))
        if made and draw(st.integers(0, 5)) == 0:
            quantity = -quantity  # taken off
        net = rounded(quantity * price, places)
        unit = unit_code(draw(st.sampled_from(["h", "Tag", "pcs", "m²", "", "crate"])))
        detail = draw(st.one_of(st.just(""), _TEXT))
        made.append(Line(str(number), draw(_TEXT), quantity, unit, price, net, category, percent, detail))
    return tuple(made)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """An invoice or a credit note that lacks nothing."""
    currency, places = draw(st.sampled_from([("EUR", 2), ("EUR", 2), ("USD", 2), ("JPY", 0), ("CHF", 2)]))
    lines = draw(_lines(places))
    category, percent = lines[0].category, lines[0].percent
    adjustments = tuple(
        Adjustment(
            rounded(draw(st.decimals(0, 500, places=2)), places), category, percent, draw(_TEXT), draw(st.booleans())
        )
        for _ in range(draw(st.integers(0, 2)))
    )
    made = document(
        *lines, adjustments=adjustments, places=places, currency=currency,
        kind=draw(st.sampled_from([INVOICE, CREDIT_NOTE])), number=draw(_TEXT),
        order=draw(st.one_of(st.just(""), _TEXT)), terms=draw(st.one_of(st.just(""), _TEXT)),
        buyer_reference=draw(st.one_of(st.just(""), _TEXT)), notes=tuple(draw(st.lists(_TEXT, max_size=2))),
        paid=draw(st.sampled_from(["0", "0", "100"])),
    )  # fmt: skip
    if made.kind == CREDIT_NOTE:
        made = replace(made, preceding=(Preceding("LO-2026-0100", DAY),), payment=None)
    elif draw(st.booleans()):
        made = replace(made, payment=draw(st.sampled_from([
            Payment(TRANSFER, "Routing number (ACH) 021000021", (Account("Lumen", number="000123456789"),), "LO-1"),
            Payment(SEPA_TRANSFER, accounts=(ACCOUNT, Account("Lumen", "DE33100205000001194700")), reference="RF1"),
            Payment(CASH), None,
        ])))  # fmt: skip
    if draw(st.booleans()):
        made = replace(made, period_from=DAY.replace(day=1), period_to=DAY)
    return replace(made, **_sides(draw, {one.category for one in lines}))


def _sides(draw: st.DrawFn, categories: set[str]) -> dict[str, Party]:
    """Who may sell and buy under these categories."""
    seller, buyer = SELLER, replace(BUYER, name=draw(_TEXT), contact=draw(st.one_of(st.just(""), _TEXT)))
    if "O" in categories:
        return {
            "seller": replace(seller, vat_number="", tax_number="30/123/45678", number="30/123/45678"),
            "buyer": replace(buyer, vat_number=""),
        }
    if "G" in categories:
        return {"seller": seller, "buyer": replace(buyer, vat_number="", address=Address("US"))}
    if not categories & {"AE", "K"}:
        country = draw(st.sampled_from(["DE", "US", *sorted(EU)]))
        buyer = replace(buyer, vat_number="", address=replace(buyer.address, country=country))
        if draw(st.booleans()):
            seller = replace(seller, vat_number="", tax_number="30/123/45678", number="30/123/45678")
    return {"seller": seller, "buyer": buyer}
