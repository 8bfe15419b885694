"""What would help the client pay faster, and which ways to pay they are offered."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import PaymentMethod, StoredFile

from .people import Client


class Wishes(models.Model):
    """What the client's office asks of our invoices: fields to print, a cover page, their own form. One row a client.

    That an order number is needed stands on the client.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="wishes")
    extra_fields = models.JSONField(_("fields to print"), default=list, blank=True)
    cover_page = models.BooleanField(_("a cover page"), default=False)
    cover_text = models.CharField(_("on the cover page"), max_length=500, blank=True)
    own_form = models.ForeignKey(StoredFile, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    own_form_name = models.CharField(max_length=150, blank=True, editable=False)
    note = models.CharField(_("what else helps"), max_length=1000, blank=True)
    told_by = models.CharField(max_length=150, editable=False)
    told_at = models.DateTimeField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name_plural = _("wishes")

    def __str__(self) -> str:
        return f"{self.client_id}"


class ClientWay(models.Model):
    """A way to pay that a client is offered, or is not, otherwise than the company usually does."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="ways")
    method = models.ForeignKey(PaymentMethod, on_delete=models.CASCADE, related_name="+")
    is_offered = models.BooleanField(_("offered"))

    class Meta:
        ordering = ["client", "id"]
        constraints = [models.UniqueConstraint(fields=["client", "method"], name="client_way_once")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.method_id}"
