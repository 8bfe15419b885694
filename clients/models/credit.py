"""Facts about trust: checks bought or entered, decisions, limits, status and overrides. Nothing here is ever edited."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import MoneyField
from core.guards import AppendOnly, Frozen
from policies.flags import OUTCOMES
from policies.models import CreditPolicy

from .people import Client


class CreditCheck(models.Model):
    """What a provider, or a person, found out about a client on a day, and until when it counts."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="credit_checks")
    provider = models.CharField(_("provider"), max_length=60)
    reference = models.CharField(_("their reference"), max_length=80, blank=True)
    checked_on = models.DateField(_("checked on"))
    valid_until = models.DateField(_("valid until"))
    score = models.DecimalField(_("score"), max_digits=8, decimal_places=2, null=True, blank=True)
    scale_low = models.DecimalField(_("worst score of the scale"), max_digits=8, decimal_places=2, default=0)
    scale_high = models.DecimalField(_("best score of the scale"), max_digits=8, decimal_places=2, default=100)
    rating = models.CharField(_("rating"), max_length=20, blank=True)
    recommended_limit = MoneyField(_("recommended limit"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    findings = models.TextField(_("findings"), blank=True)
    flags = models.JSONField(_("flags"), default=list, blank=True)
    raw = models.JSONField(default=dict, blank=True, editable=False)
    entered_by = models.CharField(max_length=150)
    entered_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-checked_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "provider", "reference"], condition=~Q(reference=""), name="check_reference_once"
            ),
            models.CheckConstraint(condition=~Q(scale_low=F("scale_high")), name="check_scale_has_two_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.checked_on}"


class CreditDecision(models.Model):
    """Accept, stricter terms, prepayment only or decline: what was decided, and the rules that led to it."""

    OUTCOMES = OUTCOMES

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="credit_decisions")
    outcome = models.CharField(_("decision"), max_length=12, choices=OUTCOMES)
    terms_days = models.PositiveSmallIntegerField(_("days to pay"), null=True, blank=True)
    limit = MoneyField(_("limit"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    deposit_percent = models.DecimalField(_("deposit, percent"), max_digits=5, decimal_places=2, default=0)
    rules = models.JSONField(default=list)
    policy = models.ForeignKey(CreditPolicy, on_delete=models.PROTECT, related_name="+")
    check_used = models.ForeignKey(CreditCheck, null=True, on_delete=models.PROTECT, related_name="decisions")
    overrides = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="overridden_by")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    expires_on = models.DateField(_("holds until"), null=True, blank=True)
    decided_on = models.DateField(_("decided on"))
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-decided_on", "-id"]
        permissions = [("override_decision", _("Can decide otherwise than the credit policy"))]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.decided_on}"


class CreditLimit(models.Model):
    """How much a client may owe from a day on, in one currency; the latest row holds, older ones are the history."""

    SOURCES = [
        ("policy", _("start by policy")),
        ("decision", _("credit decision")),
        ("review", _("limit review")),
        ("hand", _("by hand")),
        ("import", _("import")),
    ]

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="credit_limits")
    currency = models.CharField(_("currency"), max_length=3)
    amount = MoneyField(_("limit"))
    effective_on = models.DateField(_("from"))
    source = models.CharField(_("source"), max_length=10, choices=SOURCES)
    because = models.CharField(_("reason"), max_length=300)
    reasons = models.JSONField(default=list)
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-effective_on", "-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="credit_limit_not_negative")]
        indexes = [models.Index(fields=["client", "currency", "-effective_on", "-id"], name="credit_limit_latest")]
        permissions = [("set_limit", _("Can set and approve credit limits"))]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} from {self.effective_on}"


class StatusChange(models.Model):
    """From a day on the client's credit is open, watched, stricter, cash-only or closed; by policy or by hand."""

    STATUSES = [
        ("open", _("open")),
        ("watch", _("watch")),
        ("stricter", _("stricter terms")),
        ("cash_only", _("cash-only")),
        ("closed", _("closed")),
    ]
    SOURCES = [("policy", _("policy")), ("decision", _("credit decision")), ("hand", _("by hand"))]

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="credit_statuses")
    status = models.CharField(_("credit status"), max_length=12, choices=STATUSES)
    effective_on = models.DateField(_("from"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=10, choices=SOURCES)
    because = models.CharField(_("reason"), max_length=300)
    reasons = models.JSONField(default=list)
    terms_days = models.PositiveSmallIntegerField(_("days to pay"), null=True, blank=True)
    deposit_percent = models.DecimalField(_("deposit, percent"), max_digits=5, decimal_places=2, default=0)
    policy = models.ForeignKey(CreditPolicy, null=True, on_delete=models.PROTECT, related_name="+")
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-effective_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("effective_on")), name="status_ends_after_it_begins"
            )
        ]
        indexes = [models.Index(fields=["client", "-effective_on", "-id"], name="credit_status_latest")]
        permissions = [("set_status", _("Can set the credit status by hand"))]

    def __str__(self) -> str:
        return f"{self.get_status_display()} from {self.effective_on}"


class CreditOverride(models.Model):
    """Somebody with the permission lets one client buy in spite of a rule, for a reason and until a day."""

    ALLOWS = [
        ("over_limit", _("invoices over the limit")),
        ("on_credit", _("invoices on credit in spite of the status")),
    ]

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="credit_overrides")
    allows = models.CharField(_("allows"), max_length=12, choices=ALLOWS)
    reason = models.CharField(_("reason"), max_length=300)
    granted_on = models.DateField(_("from"))
    expires_on = models.DateField(_("last day"))
    granted_by = models.CharField(max_length=150)
    granted_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.CharField(max_length=150, blank=True, editable=False)

    guards = [Frozen(when='OLD."ended_at" IS NOT NULL')]

    class Meta:
        ordering = ["-granted_on", "-id"]
        permissions = [
            ("grant_override", _("Can let a client buy in spite of the limit or the status")),
            ("invoice_delivered", _("Can invoice delivered work in spite of the credit status")),
        ]

    def __str__(self) -> str:
        return f"{self.get_allows_display()} until {self.expires_on}"

    def stands(self, on: dt.date) -> bool:
        """Granted, not ended and not expired on the day."""
        return self.ended_at is None and self.granted_on <= on <= self.expires_on


class LimitMark(models.Model):
    """The exposure passed 80, 90 or 100 % of the limit; told once, until it has fallen below again."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="limit_marks")
    currency = models.CharField(max_length=3)
    percent = models.PositiveSmallIntegerField()
    exposure = MoneyField()
    limit = MoneyField()
    crossed_on = models.DateField()
    crossed_at = models.DateTimeField(auto_now_add=True)
    fell_back_on = models.DateField(null=True)

    class Meta:
        ordering = ["-crossed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "currency", "percent"], condition=Q(fell_back_on=None), name="limit_mark_told_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.limit} {self.currency}"
