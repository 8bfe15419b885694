"""The signed links by which a client opens a page of ours, and who looked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client, Contact
from core.guards import AppendOnly
from policies.models import CreditTerms

from .invoice import Invoice


class ShareLink(models.Model):
    """A private link to one invoice, pro forma or version of the credit terms, or to the statement or the wishes.

    Nothing secret is stored: the token is an HMAC of this row. One that a client passed on is bound to that address.
    """

    KINDS = [(kind, kind) for kind in ("invoice", "statement", "pro_forma", "terms", "wishes")]

    kind = models.CharField(max_length=12, default="invoice", choices=KINDS)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="links")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.CASCADE, related_name="links")
    terms = models.ForeignKey(CreditTerms, null=True, on_delete=models.CASCADE, related_name="links")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL)
    passed_on_to = models.EmailField(blank=True, help_text="The colleague to whom the client forwarded the invoice.")
    version = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)
    handed_out_by = models.CharField(max_length=150, blank=True, help_text="Who made it at the desk to pass it on.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "contact"],
                condition=Q(revoked_at=None, kind="invoice"),
                name="one_live_link_per_invoice_and_contact",
            ),
            models.UniqueConstraint(
                fields=["client", "terms", "contact"],
                condition=Q(revoked_at=None, kind="terms"),
                name="one_live_link_per_terms_and_contact",
            ),
            models.UniqueConstraint(
                fields=["client", "kind", "contact"],
                condition=Q(revoked_at=None, kind__in=["statement", "wishes"]),
                name="one_live_link_to_the_whole_per_contact",
            ),
            models.UniqueConstraint(
                fields=["invoice", "passed_on_to"],
                condition=Q(revoked_at=None, kind="invoice") & ~Q(passed_on_to=""),
                name="one_live_link_per_address_passed_on_to",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LinkCode(models.Model):
    """A code of six digits mailed to the address on file: what shows more than one invoice asks for it once."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="codes")
    code_hmac = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.link_id} {self.made_at:%Y-%m-%d %H:%M}"


class LinkView(models.Model):
    """The client opened the page in a browser (a beacon said so); scanners and staff never count."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="views")
    seen_at = models.DateTimeField()

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.link_id} {self.seen_at:%Y-%m-%d %H:%M}"
