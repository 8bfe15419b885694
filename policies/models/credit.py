"""How far a company trusts, and on which terms it sells on credit; both in versions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly
from core.models import Company


class CreditPolicy(models.Model):
    """One version of how far a company trusts: never edited, replaced by a later version.

    Scores are percent of the scale of whoever checked. Sums are per currency, as {"EUR": "5000"}; a currency that is
    not named has no such sum. ``flag_outcomes`` says what a flag leads to at least: {"insolvency": "decline"}.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="credit_policies")
    effective_from = models.DateField(_("effective from"))
    starting_limit = models.JSONField(_("starting limit of a new client"), default=dict)
    accept_score = models.PositiveSmallIntegerField(_("accept from a score of, percent"), default=70)
    stricter_score = models.PositiveSmallIntegerField(_("stricter terms from a score of, percent"), default=45)
    prepayment_score = models.PositiveSmallIntegerField(_("prepayment from a score of, percent"), default=25)
    flag_outcomes = models.JSONField(_("what a flag leads to at least"), default=dict)
    check_valid_days = models.PositiveSmallIntegerField(_("a check is valid for, days"), default=365)
    stricter_days = models.PositiveSmallIntegerField(_("stricter terms: days to pay"), default=14)
    stricter_limit_percent = models.PositiveSmallIntegerField(_("stricter terms: percent of the limit"), default=50)
    deposit_percent = models.PositiveSmallIntegerField(_("stricter terms: deposit, percent"), default=0)
    counts_drafts = models.BooleanField(_("drafts count towards the limit"), default=False)
    watch_days = models.PositiveSmallIntegerField(_("watch from days overdue"), default=15)
    cash_only_days = models.PositiveSmallIntegerField(_("cash-only from days overdue"), default=60)
    cash_only_sum = models.JSONField(_("cash-only from an overdue sum of"), default=dict)
    cash_only_promises = models.PositiveSmallIntegerField(_("cash-only from broken promises in 180 days"), default=2)
    cash_only_returned = models.PositiveSmallIntegerField(_("cash-only from returned payments in 180 days"), default=1)
    lifts = models.CharField(
        _("cash-only ends when everything overdue is cleared"), max_length=12, default="at_once",
        choices=[("at_once", _("at once")), ("after_review", _("after a person looked"))],
    )
    cuts = models.CharField(
        _("a limit shrinks on warning signs"), max_length=12, default="at_once",
        choices=[("at_once", _("at once")), ("after_review", _("after a person approved"))],
    )
    review_days = models.JSONField(_("days between two limit reviews, by risk class"), default=dict)
    raise_months = models.PositiveSmallIntegerField(_("months of history before a limit grows"), default=6)
    raise_on_time = models.PositiveSmallIntegerField(_("share paid on time before it grows, percent"), default=90)
    raise_percent = models.PositiveSmallIntegerField(_("a step up, percent"), default=25)
    cut_on_time = models.PositiveSmallIntegerField(_("shrinks below a share paid on time of, percent"), default=60)
    cut_days_late = models.PositiveSmallIntegerField(_("shrinks from average days late"), default=20)
    cut_percent = models.PositiveSmallIntegerField(_("a step down, percent"), default=50)
    highest_limit = models.JSONField(_("highest limit without a second look"), default=dict)
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        verbose_name_plural = _("credit policies")
        ordering = ["company", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["company", "effective_from"], name="credit_policy_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.company}: credit from {self.effective_from}"


class CreditTerms(models.Model):
    """One version of the terms on which a company sells on credit, as the client reads and accepts them."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="credit_terms")
    effective_from = models.DateField(_("effective from"))
    title_en = models.CharField(_("title, English"), max_length=120)
    title_de = models.CharField(_("title, German"), max_length=120)
    title_fr = models.CharField(_("title, French"), max_length=120)
    text_en = models.TextField(_("text, English"))
    text_de = models.TextField(_("text, German"))
    text_fr = models.TextField(_("text, French"))
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        verbose_name_plural = _("credit terms")
        ordering = ["company", "-effective_from"]
        constraints = [models.UniqueConstraint(fields=["company", "effective_from"], name="credit_terms_version_once")]

    def __str__(self) -> str:
        return f"{self.title_en} ({self.effective_from})"

    def title(self, language: str) -> str:
        return str(getattr(self, f"title_{language}", "") or self.title_en)

    def text(self, language: str) -> str:
        return str(getattr(self, f"text_{language}", "") or self.text_en)
