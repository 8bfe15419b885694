"""What the law of a country lets nobody do, as rows with sources; a step that breaks one is refused."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly


class GuardRail(models.Model):
    """One rule of a country: what it limits, to which value, where it stands. A later row of a code takes its place."""

    KINDS = [
        ("fee_not_before", _("a fee not before so many days after the due date")),
        ("most_fees", _("at most so many fees per invoice")),
        ("highest_fee", _("a fee of at most, per currency")),
        ("notice_days", _("a notice gives at least so many days to pay")),
        ("first_is_free", _("the first reminder is free of charge")),
        ("notice_before_handover", _("a notice before the claim is handed over")),
        ("words", _("words that a notice must say")),
        ("contact_hours", _("hours in which one may call")),
        ("no_compensation", _("no fixed compensation")),
        ("highest_percent", _("late interest of at most, percent a year")),
    ]

    country = models.CharField(_("country"), max_length=2)
    code = models.SlugField(_("code"), max_length=40)
    kind = models.CharField(_("limits"), max_length=24, choices=KINDS)
    value = models.JSONField(_("value"), default=dict, blank=True)
    for_consumers = models.BooleanField(_("holds for consumers"), null=True, help_text=_("Unknown: for everybody."))
    name = models.CharField(_("name of the rule"), max_length=120)
    says = models.CharField(_("says"), max_length=300)
    source = models.CharField(_("source"), max_length=300)
    as_of = models.DateField(_("as of"))
    is_active = models.BooleanField(_("holds"), default=True)
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["country", "code", "-id"]
        constraints = [models.CheckConstraint(condition=~models.Q(source=""), name="guard_rail_has_a_source")]

    def __str__(self) -> str:
        return f"{self.country}: {self.name}"
