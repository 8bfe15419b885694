"""Late interest, fees and compensation as claims of their own beside the invoice."""

from .appropriating import charge_what_goes_first, interest_goes_first
from .bearing import Holding, Policies, posted_until, register_quarrels, spans_by, spans_of, uses_terms
from .derivation import charge_as_json, rule_kept
from .fees import (
    charge_compensation,
    charge_fee,
    compensation_due,
    fee_of,
    fee_to_charge,
    standing_fees,
    take_back_charge,
)
from .posting import (
    charge_interest,
    give_interest_notice,
    give_up,
    outdated,
    replace_interest,
    take_back_notices,
    waive_charge,
)
from .reckoning import (
    OPENING,
    Accrual,
    Entitled,
    accrued,
    derivation_lines,
    entitled,
    interest_starts_on,
    standing_interest,
)

__all__ = [
    "OPENING", "Accrual", "Entitled", "Holding", "Policies", "accrued", "charge_as_json", "charge_compensation",
    "charge_fee",
    "charge_interest", "charge_what_goes_first", "compensation_due", "derivation_lines", "entitled", "fee_of",
    "fee_to_charge", "give_interest_notice", "give_up", "interest_goes_first", "interest_starts_on", "outdated",
    "posted_until", "register_quarrels", "replace_interest", "rule_kept", "spans_by", "spans_of", "standing_fees",
    "standing_interest", "take_back_charge", "take_back_notices", "uses_terms", "waive_charge",
]  # fmt: skip
