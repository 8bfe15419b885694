"""Who did what, append-only. Rows are written by ``audit.services.record`` in the transaction of the act itself."""

from __future__ import annotations

from django.db import models

from core.guards import AppendOnly


class Event(models.Model):
    """One act: who, what, on which object, with what change."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    client_id = models.BigIntegerField(null=True, db_index=True)
    doc = models.CharField(max_length=120, blank=True, db_index=True)
    summary = models.CharField(max_length=300, blank=True)
    diff = models.JSONField(default=dict)

    guards = [AppendOnly()]

    class Meta:
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_object")]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}: {self.action} {self.object_type} {self.object_id}"
