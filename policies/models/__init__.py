"""How we behave, in versions: terms we offer, the policies by which we remind and trust, interest and its rates."""

from .choice import PolicyChoice
from .credit import CreditPolicy, CreditTerms
from .guard_rails import GuardRail
from .interest import InterestRule, ReferenceRate
from .occasions import Occasion
from .policy import CompanyPolicy, Policy, PolicyDraft, Segment, Step, StepText
from .terms import Terms

__all__ = [
    "CompanyPolicy", "CreditPolicy", "CreditTerms", "GuardRail", "InterestRule", "Occasion", "Policy",
    "PolicyChoice", "PolicyDraft", "ReferenceRate", "Segment", "Step", "StepText", "Terms",
]  # fmt: skip
