"""What a mail provider tells about our mails, as anymail reads it: put into our words and heard (a shell)."""

from __future__ import annotations

import logging
from typing import Any

from anymail.signals import EventType, RejectReason
from django.utils import timezone

from .hearing import hear_delivery
from .replies import blames_something_else, is_temporary

log = logging.getLogger(__name__)

MEANS = {
    EventType.DELIVERED: "delivered",
    EventType.OPENED: "delivered",  # who opened it has it
    EventType.CLICKED: "delivered",
    EventType.DEFERRED: "deferred",
    EventType.BOUNCED: "bounced",
    EventType.REJECTED: "bounced",
    EventType.FAILED: "bounced",
    EventType.COMPLAINED: "complained",
}
ABOUT_THE_MAIL = (RejectReason.SPAM, RejectReason.BLOCKED, RejectReason.TIMED_OUT, RejectReason.OTHER)


def heard(sender: Any, event: Any, esp_name: str, **_more: Any) -> None:
    """One event of a provider; what it says of mails that are not ours is left alone.

    A bounce for now («mailbox full», a soft bounce) is a delay and marks nobody.
    """
    means = MEANS.get(event.event_type)
    if means is None:
        return
    said = " ".join(filter(None, [event.mta_response, event.description])) or event.reject_reason or ""
    if means == "bounced" and _is_soft(event, said):
        means = "deferred"
    now, metadata = timezone.now(), event.metadata or {}
    key = metadata.get("outbox") if isinstance(metadata, dict) else ""
    message = hear_delivery(
        means,
        at=event.timestamp or now,
        now=now,
        said=str(said),
        address=str(event.recipient or ""),
        key=str(key or ""),
        provider_id=str(event.message_id or ""),
        is_address=_is_the_address(event, str(said)),
        by=esp_name,
    )
    if message is None:
        log.info("%s told of a mail that is not ours: %s", esp_name, means)


def _is_the_address(event: Any, said: str) -> bool:
    """The provider blames the address, and the server's words, where there are some, do not blame something else."""
    if event.event_type == EventType.FAILED or event.reject_reason in ABOUT_THE_MAIL:
        return False
    return not blames_something_else(said)


def _is_soft(event: Any, said: str) -> bool:
    """Temporary by the server's code, or in the provider's own words where anymail makes no difference."""
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    return is_temporary(said) or raw.get("Type") == "SoftBounce" or raw.get("hard_bounce") is False
