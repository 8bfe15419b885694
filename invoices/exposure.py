"""Exposure: how much a client stands to cost us in one currency, by component. Pure; asked for in services/exposure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

COMPONENTS = ("open_not_due", "overdue", "charges", "work", "drafts", "unapplied", "kept")


@dataclass(frozen=True)
class Exposure:
    """What a client owes or will owe, less the cash held for it, in whole units of ``currency``.

    ``work`` is done and not yet invoiced; ``drafts`` are shown, and counted only where the policy ``counts_drafts``;
    ``unapplied`` is all cash not put to a claim, and ``kept`` the part of it that waits for a pro forma: it pays for
    that order and leaves no room for another one.

    >>> exposure = Exposure("EUR", open_not_due=Decimal(900), overdue=Decimal(100), drafts=Decimal(50),
    ...                     unapplied=Decimal(300), kept=Decimal(200))
    >>> exposure.total, exposure.components()["unapplied"]
    (Decimal('900'), Decimal('-300'))
    """

    currency: str
    open_not_due: Decimal = Decimal(0)
    overdue: Decimal = Decimal(0)
    charges: Decimal = Decimal(0)
    work: Decimal = Decimal(0)
    drafts: Decimal = Decimal(0)
    unapplied: Decimal = Decimal(0)
    kept: Decimal = Decimal(0)
    counts_drafts: bool = False

    @property
    def open(self) -> Decimal:
        """The principal of all open invoices."""
        return self.open_not_due + self.overdue

    @property
    def free_cash(self) -> Decimal:
        """Unapplied cash that no pro forma waits for."""
        return self.unapplied - self.kept

    @property
    def total(self) -> Decimal:
        """The sum of the components that count; below zero where the client has paid ahead."""
        return sum(self.components().values(), Decimal(0))

    def components(self) -> dict[str, Decimal]:
        """The components that add up to the total, cash with a minus; drafts only where they count.

        >>> sorted(Exposure("EUR", drafts=Decimal(50)).components())
        ['charges', 'kept', 'open_not_due', 'overdue', 'unapplied', 'work']
        """
        parts = {name: getattr(self, name) for name in COMPONENTS if name != "drafts" or self.counts_drafts}
        return parts | {"unapplied": -self.unapplied}
