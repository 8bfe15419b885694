"""The payment providers that are set up here, by name."""

from __future__ import annotations

from django.conf import settings

from core.errors import Refused

from .base import Begin, Begun, Declined, Given, Heard, NotGenuine, PayoutLine, Provider, Unreachable
from .sandbox import Sandbox
from .stripe import Stripe

__all__ = [
    "Begin", "Begun", "Declined", "Given", "Heard", "NotGenuine", "PayoutLine", "Provider", "Unreachable",
    "provider_of", "providers",
]


def providers() -> dict[str, Provider]:
    """Every provider that can be trusted with money now: one without its secret is not among them."""
    known: dict[str, Provider] = {"stripe": Stripe(), "sandbox": Sandbox()}
    return {name: provider for name, provider in known.items() if name in settings.PAYMENT_PROVIDERS}


def provider_of(name: str) -> Provider:
    """The provider of that name. Refused where it is not set up."""
    found = providers().get(name)
    if found is None:
        raise Refused(
            f"The payment provider «{name}» is not set up here; see «Card and wallet» in docs/operations.md.",
            code="no_provider",
        )
    return found
