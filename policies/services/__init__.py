"""The verbs of policies: making versions, choosing one, entering rules and rates."""

from .rates import (
    add_interest_rule,
    add_rate,
    check_rate,
    missing_rows,
    rule_codes,
    rule_from,
    rule_of,
    withdraw_rate,
)
from .step_texts import check_step_text, save_step_text, step_text_of
from .versions import (
    COPIED,
    STEP_FIELDS,
    check_ladder,
    default_policy,
    default_terms,
    new_version,
    policy_of,
    use_policy,
)

__all__ = [
    "COPIED", "STEP_FIELDS", "add_interest_rule", "add_rate", "check_ladder", "check_rate", "check_step_text",
    "default_policy", "default_terms", "missing_rows", "new_version", "policy_of", "rule_codes", "rule_from",
    "rule_of", "save_step_text", "step_text_of", "use_policy", "withdraw_rate",
]  # fmt: skip
