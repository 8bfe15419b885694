"""Which policy was chosen for whom on which day: what charging asks when the present choice is another one."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly
from core.models import Company


class PolicyChoice(models.Model):
    """From a day on another policy was chosen in a place, or a client came into another segment.

    What has no row was never changed: the present choice has held since ever. ``subject`` is the company, segment,
    client or invoice, by its id; ``client`` is whose invoice it is, or the client itself.
    """

    WHERE = [
        ("company", _("company")), ("segment", _("segment")), ("client", _("client")), ("invoice", _("invoice")),
    ]  # fmt: skip

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="policy_choices")
    where = models.CharField(_("chosen for"), max_length=8, choices=WHERE)
    subject = models.PositiveBigIntegerField()
    client = models.PositiveBigIntegerField(null=True)
    from_on = models.DateField(_("from"))
    before = models.SlugField(_("before"), max_length=40, blank=True)
    name = models.SlugField(_("policy"), max_length=40, blank=True)
    segment_before = models.PositiveBigIntegerField(null=True)
    segment = models.PositiveBigIntegerField(null=True)
    chosen_by = models.CharField(max_length=150)
    chosen_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["company", "client"], name="policy_choices_of"),
            models.Index(fields=["where", "subject"], name="policy_choice_for"),
        ]

    def __str__(self) -> str:
        return f"{self.get_where_display()} {self.subject}: {self.name or '—'} from {self.from_on}"
