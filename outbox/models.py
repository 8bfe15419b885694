"""Everything that leaves: one row per message, composed when it is claimed, frozen when it is handed over."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.guards import Frozen

from .sealing import as_sent

STILL_MOVES = (
    "state",
    "reason",
    "held_for",
    "attempts",
    "not_before",
    "lease_token",
    "lease_until",
    "handing_at",
    "sent_at",
    "unknown_at",
    "reply",
    "resolved_by",
    "provider_id",
    "delivery",
    "delivery_at",
    "delivery_said",
    "copies_back",
)


class Message(models.Model):
    """One message; its key says what it is for, so that it cannot be sent twice.

    From the moment it is handed over, what it says and to whom never changes.
    """

    STATES = [
        ("held", _("held for release")),
        ("pending", _("waiting")),
        ("claimed", _("being composed")),
        ("handing", _("being handed over")),
        ("sent", _("sent")),
        ("failed", _("failed")),
        ("cancelled", _("cancelled")),
        ("unknown", _("unknown: may have arrived")),
    ]

    DELIVERIES = [
        ("delivered", _("delivered")),
        ("deferred", _("delayed")),
        ("bounced", _("came back")),
        ("complained", _("marked as unwanted")),
    ]

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=30)
    party = models.CharField(max_length=60, blank=True, db_index=True)
    on = models.DateField()
    payload = models.JSONField(default=dict)
    transport = models.CharField(max_length=10, default="mail")
    held_for = models.CharField(max_length=60, blank=True)
    from_name = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    to_name = models.CharField(max_length=200, blank=True)
    to_addr = models.CharField(max_length=320, blank=True)
    cc_addr = models.CharField(max_length=640, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    attachments = models.JSONField(default=list)
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, default="pending", choices=STATES)
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    handing_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    unknown_at = models.DateTimeField(null=True)
    reply = models.TextField(blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, db_index=True)
    delivery = models.CharField(max_length=12, blank=True, choices=DELIVERIES)
    delivery_at = models.DateTimeField(null=True)
    delivery_said = models.TextField(blank=True)
    copies_back = models.CharField(  # of cc_addr, those from which it came back
        max_length=640, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(auto_now_add=True)

    guards = [Frozen("OLD.state IN ('handing', 'sent', 'unknown')", but=STILL_MOVES)]

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "not_before"], name="outbox_due"),
            models.Index(fields=["party", "on"], name="outbox_party_on"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["claimed", "handing"], lease_token__isnull=False)
                | (~Q(state__in=["claimed", "handing"]) & Q(lease_token=None)),
                name="outbox_lease_exactly_while_claimed",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["held", "pending", "claimed", "handing", "sent", "failed", "cancelled", "unknown"]
                ),
                name="outbox_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def text_as_sent(self) -> str:
        return as_sent(self.text)

    @property
    def html_as_sent(self) -> str:
        return as_sent(self.html)


class Outage(models.Model):
    """The server of a transport could not be reached from one instant until another; without an end it goes on."""

    transport = models.CharField(max_length=10, default="mail")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    said = models.TextField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["transport"], condition=Q(ended_at=None), name="one_outage_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} {self.said}"
