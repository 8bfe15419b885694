"""Who can be asked about a client: a provider's name and one function. What is found is entered by services/checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.errors import Refused

from .models import Client


@dataclass(frozen=True)
class Found:
    """What a provider answers: the facts of ``enter_check``, and its documents as (name, bytes)."""

    facts: Mapping[str, Any]
    documents: Sequence[tuple[str, bytes]] = field(default=())


class Provider(Protocol):
    """Somebody who sells or gives credit checks."""

    name: str

    def fetch(self, client: Client) -> Found:
        """Ask about a client now. Raises Refused where nothing is known of it, or nobody answers."""


_providers: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Offer a provider, from an AppConfig's ``ready``; the same name again replaces it."""
    _providers[provider.name] = provider


def provider_names() -> list[str]:
    """Who can be asked, in alphabetical order."""
    return sorted(_providers)


def provider_called(name: str) -> Provider:
    """The provider of a name. Refused where there is none."""
    try:
        return _providers[name]
    except KeyError:
        known = ", ".join(provider_names()) or "nobody yet; enter the check by hand or upload its file"
        raise Refused(f"“{name}” cannot be asked here. Known: {known}.", code="provider", where="provider") from None
