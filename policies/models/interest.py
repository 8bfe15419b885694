"""Late interest by contract or by law, in versions, and the reference rates it is worked out with."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly, Frozen


class InterestRule(models.Model):
    """One version of a rule by which late interest is worked out; never edited, replaced by a later version.

    Percentages are per year. ``compensation`` are lump sums by the size of the claim: [["0", "40"], ["1000", "70"]].
    A rule shipped by code needs no row; a row of its code takes its place from its first day on.
    """

    DAY_COUNTS = [("act/365", "act/365"), ("act/360", "act/360"), ("30/360", "30/360")]

    code = models.CharField(_("code"), max_length=20)
    effective_from = models.DateField(_("effective from"))
    title = models.CharField(_("title"), max_length=120)
    country = models.CharField(_("country"), max_length=2, blank=True)
    for_consumers = models.BooleanField(_("for consumers"), null=True)
    charges = models.BooleanField(_("charges interest"), default=True)
    percent = models.DecimalField(
        _("fixed rate, percent a year"), max_digits=7, decimal_places=4, null=True, blank=True,
        help_text=_("Empty, and no reference rate: the percentage printed in the terms of the invoice."),
    )
    series = models.CharField(_("reference rate"), max_length=40, blank=True)
    margin = models.DecimalField(_("added to it, percent"), max_digits=7, decimal_places=4, default=0)
    which_half_year = models.CharField(
        _("of which half-year"), max_length=6, default="split",
        choices=[("split", _("anew at each half-year")), ("fixed", _("of the day interest starts to run"))],
    )
    reference_up_to = models.DecimalField(
        _("reference rounded up to the next"), max_digits=4, decimal_places=2, null=True, blank=True
    )
    compound_monthly = models.BooleanField(_("interest on interest, monthly"), default=False)
    day_count = models.CharField(_("day count"), max_length=8, default="act/365", choices=DAY_COUNTS)
    rounding = models.CharField(
        _("rounded"), max_length=6, default="once",
        choices=[("once", _("once, at the end")), ("daily", _("the amount of a day first"))],
    )
    starts = models.CharField(
        _("starts"), max_length=10, default="due",
        choices=[
            ("due", _("on the day after the due date")),
            ("notice", _("on the day a notice names")),
            ("days", _("so many days after the due date")),
        ],
    )
    starts_days = models.PositiveSmallIntegerField(_("days after the due date"), default=0)
    grace_days = models.PositiveSmallIntegerField(
        _("nothing is charged when paid within, days late"), default=0
    )
    cap_percent = models.DecimalField(
        _("never more than, percent of the claim"), max_digits=7, decimal_places=4, null=True, blank=True
    )
    legal_maximum = models.DecimalField(
        _("legal maximum, percent a year"), max_digits=7, decimal_places=4, null=True, blank=True
    )
    first = models.CharField(
        _("a payment goes first to"), max_length=10, default="principal",
        choices=[("principal", _("the invoice")), ("interest", _("the interest"))],
    )
    runs_in_dispute = models.BooleanField(_("runs on while an amount is disputed"), default=True)
    compensation = models.JSONField(_("fixed compensation"), default=list, blank=True)
    compensation_currency = models.CharField(max_length=3, blank=True)
    source = models.CharField(_("source"), max_length=300)
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["code", "-effective_from"]
        constraints = [models.UniqueConstraint(fields=["code", "effective_from"], name="interest_rule_version_once")]

    def __str__(self) -> str:
        return f"{self.code} from {self.effective_from}"


class ReferenceRateQuerySet(models.QuerySet["ReferenceRate"]):
    def standing(self) -> ReferenceRateQuerySet:
        return self.filter(withdrawn_at=None)


class ReferenceRate(models.Model):
    """A published reference rate, from a day through a day, with its source; nobody carries it further.

    A wrong row is withdrawn and entered anew, so that what was worked out with it can still be explained.
    """

    series = models.CharField(_("reference rate"), max_length=40)
    from_on = models.DateField(_("from"))
    valid_through = models.DateField(_("valid through"))
    percent = models.DecimalField(_("percent a year"), max_digits=7, decimal_places=4)
    source = models.CharField(_("source"), max_length=300)
    entered_by = models.CharField(max_length=150, editable=False)
    entered_at = models.DateTimeField(auto_now_add=True)
    checked_by = models.CharField(_("checked by"), max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_by = models.CharField(max_length=150, blank=True, editable=False)
    withdrawn_because = models.CharField(max_length=300, blank=True, editable=False)

    guards = [Frozen(when="1 = 1", but=("checked_by", "withdrawn_at", "withdrawn_by", "withdrawn_because"))]
    objects = ReferenceRateQuerySet.as_manager()

    class Meta:
        ordering = ["series", "-from_on"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_through__gte=F("from_on")), name="rate_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(source=""), name="rate_has_a_source"),
            models.UniqueConstraint(
                fields=["series", "from_on"], condition=Q(withdrawn_at=None), name="rate_once_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.percent.normalize():f} % from {self.from_on}"

    def covers(self, day: dt.date) -> bool:
        return self.from_on <= day <= self.valid_through
