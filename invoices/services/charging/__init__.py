"""Late interest, fees and compensation as claims of their own beside the invoice."""

from .posting import (
    OPENING,
    Accrual,
    accrued,
    charge_interest,
    give_interest_notice,
    interest_starts_on,
    outdated,
    replace_interest,
    standing_interest,
    waive_charge,
)

__all__ = [
    "OPENING", "Accrual", "accrued", "charge_interest", "give_interest_notice", "interest_starts_on", "outdated",
    "replace_interest", "standing_interest", "waive_charge",
]  # fmt: skip
