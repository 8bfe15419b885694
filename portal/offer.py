"""The ways to pay of a page, sorted by how they are shown: a button, bank details to copy, a sentence."""

from __future__ import annotations

from invoices.paying import Way


class Offer:
    """What every page that can be paid from has; ``ways`` is the page's own field."""

    ways: tuple[Way, ...]

    @property
    def card(self) -> Way | None:
        """What is paid here, by a button."""
        return next((way for way in self.ways if way.provider), None)

    @property
    def transfers(self) -> tuple[Way, ...]:
        return tuple(way for way in self.ways if way.rows)

    @property
    def other_ways(self) -> tuple[Way, ...]:
        """What is neither a transfer nor paid on a private page."""
        return tuple(way for way in self.ways if not way.rows and way.kind != "card")
