"""The verbs of policies: making versions, choosing one, entering rules and rates."""

from .rates import rule_codes, rule_from, rule_of
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
    "COPIED", "STEP_FIELDS", "check_ladder", "default_policy", "default_terms", "new_version", "policy_of",
    "rule_codes", "rule_from", "rule_of", "use_policy",
]  # fmt: skip
