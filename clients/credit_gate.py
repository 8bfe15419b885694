"""The gate at the moment of invoicing: may this client buy this on credit today? Pure; asked by issue_invoice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.money import round_money, show

OVER_LIMIT, ON_CREDIT = "over_limit", "on_credit"
HELP = "ask for the money first by a pro forma, or let somebody with the permission grant an exception"


@dataclass(frozen=True)
class Sale:
    """An invoice about to be issued, and how its client stands without it; amounts in whole units of ``currency``.

    ``cash`` is money of the client that nothing else is waiting for, ``kept`` what was paid on the pro forma of this
    very order. ``delivered``: the work is done and whoever issues may invoice it in spite of everything.
    ``limited_in`` are the currencies the client has a limit in, where there is none in this one.
    ``allowed`` are the exceptions that stand today; ``expired`` says what became of one that does not.
    """

    client: str
    currency: str
    total: Decimal
    terms_days: int
    status: str = "open"
    longest_days: int | None = None
    deposit_percent: Decimal = Decimal(0)
    limit: Decimal | None = None
    limited_in: tuple[str, ...] = ()
    exposure: Decimal = Decimal(0)
    cash: Decimal = Decimal(0)
    kept: Decimal = Decimal(0)
    delivered: bool = False
    allowed: tuple[str, ...] = ()
    expired: str = ""

    def money(self, amount: Decimal) -> str:
        return show(amount, self.currency, "en")


@dataclass(frozen=True)
class Verdict:
    """Whether the invoice may be issued; where not, the rule and a sentence that says what to do.

    ``passes_by`` names what let it pass in spite of a rule: paid, delivered or exception. ``in_advance`` is the cash
    that this invoice uses and the next one can no longer count on; ``after`` the exposure with it, where a limit holds.
    """

    ok: bool
    code: str = ""
    sentence: str = ""
    where: str = ""
    passes_by: str = ""
    in_advance: Decimal = Decimal(0)
    after: Decimal | None = None
    warns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """A rule the sale breaks, the exception that would let it pass, and what to do where it does not."""

    code: str
    needs: str
    says: str
    advice: str
    where: str = ""


def may_buy(sale: Sale) -> Verdict:
    """Refuse what breaks a rule of credit, unless it is paid for, delivered with the permission, or excepted.

    Over the limit is refused, and so is any sale on credit to a client who is cash-only or closed; stricter terms
    ask for fewer days and for a deposit in cash. What was paid in advance passes, except where we no longer sell.

    >>> sale = Sale("Osprey", "EUR", Decimal(500), 30, limit=Decimal(1000), exposure=Decimal(600))
    >>> may_buy(sale).code, may_buy(sale).sentence[:79]
    ('over_limit', 'With this invoice Osprey would owe €1,100.00, which is €100.00 over the limit o')
    >>> may_buy(Sale("Osprey", "EUR", Decimal(500), 30, status="cash_only", cash=Decimal(500))).ok
    True
    """
    if sale.kept >= sale.total and sale.status != "closed":
        return _passes(sale, passes_by="paid", in_advance=sale.total)
    broken = list(_broken(sale))
    if not broken:
        return _passes(sale, in_advance=_needs_cash(sale), warns=tuple(_warns(sale)))
    told = " ".join(rule.says for rule in broken)  # what to do is for what is refused
    if sale.delivered:
        return _passes(sale, code=broken[0].code, sentence=told, passes_by="delivered")
    refused = [rule for rule in broken if rule.needs not in sale.allowed]
    if not refused:
        return _passes(sale, code=broken[0].code, sentence=told, passes_by="exception")
    first = refused[0]
    return Verdict(False, first.code, f"{first.says} {first.advice} {sale.expired}".strip(), first.where)


def available(limit: Decimal | None, exposure: Decimal) -> Decimal | None:
    """The credit that is left under a limit, below zero where it is passed; None where there is no limit.

    >>> available(Decimal(1000), Decimal(1200)), available(None, Decimal(5))
    (Decimal('-200'), None)
    """
    return None if limit is None else limit - exposure


def percent_used(limit: Decimal, exposure: Decimal) -> int:
    """How much of a limit is used, in whole percent rounded down, so that 100 means that it is reached.

    Of a limit of nothing, anything owed is all of it.

    >>> percent_used(Decimal(1000), Decimal("999.99")), percent_used(Decimal(0), Decimal(1))
    (99, 100)
    """
    if exposure <= 0:
        return 0
    return int(exposure * 100 / limit) if limit else 100


def _passes(sale: Sale, **facts: Any) -> Verdict:
    return Verdict(True, after=None if sale.limit is None else sale.exposure + sale.total, **facts)


def _broken(sale: Sale) -> Iterator[Broken]:
    if sale.status == "closed":
        yield Broken("closed", ON_CREDIT, (
            f"We no longer sell to {sale.client}: the credit status is closed."
        ), "Set another status first, or let somebody with the permission grant an exception.")  # fmt: skip
        return
    if sale.status == "cash_only":
        if sale.cash + sale.kept < sale.total:
            yield Broken("cash_only", ON_CREDIT, (
                f"{sale.client} buys for cash only, and {sale.money(sale.total)} is not paid yet: "
                f"{sale.money(sale.cash + sale.kept)} is there for it."
            ), f"To go on, {HELP}.")  # fmt: skip
        return
    if sale.longest_days is not None and sale.terms_days > sale.longest_days:
        yield Broken("terms_too_long", ON_CREDIT, (
            f"{sale.client} is on stricter terms of at most {sale.longest_days} days to pay, and this invoice gives "
            f"{sale.terms_days}."
        ), "Choose shorter terms instead.", "terms")  # fmt: skip
    if sale.cash + sale.kept < deposit(sale):
        yield Broken("deposit", ON_CREDIT, (
            f"{sale.client} is on stricter terms and pays {sale.deposit_percent.normalize():f} % in advance: of "
            f"{sale.money(deposit(sale))}, {sale.money(sale.cash + sale.kept)} is there."
        ), "Record the deposit first, or let somebody with the permission grant an exception.")  # fmt: skip
    if sale.limit is None and sale.limited_in and sale.cash + sale.kept < sale.total:
        yield Broken("other_currency", OVER_LIMIT, (
            f"{sale.client} has a limit in {', '.join(sale.limited_in)} and none in {sale.currency}, so nothing in "
            f"{sale.currency} is sold on credit."
        ), f"Set a limit in {sale.currency} first; or {HELP}.", "currency")  # fmt: skip
    if sale.limit is not None and sale.exposure + sale.total > sale.limit:
        after = sale.exposure + sale.total
        yield Broken("over_limit", OVER_LIMIT, (
            f"With this invoice {sale.client} would owe {sale.money(after)}, which is "
            f"{sale.money(after - sale.limit)} over the limit of {sale.money(sale.limit)}."
        ), f"To go on, {HELP}.")  # fmt: skip


def deposit(sale: Sale) -> Decimal:
    """What has to be paid before the invoice is issued, rounded in the currency.

    >>> deposit(Sale("Osprey", "EUR", Decimal("99.99"), 14, deposit_percent=Decimal(30)))
    Decimal('30.00')
    """
    return round_money(sale.total * sale.deposit_percent / 100, sale.currency)


def _needs_cash(sale: Sale) -> Decimal:
    if sale.status == "cash_only" or (sale.limit is None and sale.limited_in):
        return sale.total
    return deposit(sale)


def _warns(sale: Sale) -> Iterator[str]:
    if sale.limit is not None and (used := percent_used(sale.limit, sale.exposure + sale.total)) >= 80:
        yield f"With this invoice {sale.client} uses {used} % of the limit of {sale.money(sale.limit)}."
