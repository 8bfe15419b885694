"""Payment terms: the rule by which an invoice is due, in one payment or in parts."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Company
from policies.terms import Instalment, TermsRule


class Terms(models.Model):
    """Payment terms: a rule that names a day, never «due on receipt», and the rate charged when it is not kept.

    ``net_days`` count from the day of issue or from the end of its month, as ``rule`` says, and are the least before a
    fixed day of the month where there is one. ``parts`` are instalments: percent of the total and days from issue
    each; a deposit comes before them.
    """

    RULES = [
        ("net", _("days after the invoice")),
        ("month_end", _("days after the end of the month")),
        ("day_of_month", _("a fixed day of the month")),
    ]
    SHIFTS = [
        ("", _("falls as it falls")),
        ("next", _("moves to the next business day")),
        ("previous", _("moves to the business day before")),
    ]

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="terms")
    name = models.CharField(_("name"), max_length=60)
    net_days = models.PositiveSmallIntegerField(_("days"), validators=[MinValueValidator(1), MaxValueValidator(365)])
    rule = models.CharField(_("counted"), max_length=12, choices=RULES, default="net")
    day_of_month = models.PositiveSmallIntegerField(
        _("day of the month"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("31 is the last day of every month."),
    )
    shift = models.CharField(_("on a day without banks"), max_length=8, choices=SHIFTS, blank=True, default="")
    parts = models.JSONField(_("instalments"), default=list, blank=True)
    deposit_percent = models.DecimalField(
        _("deposit, percent"), max_digits=6, decimal_places=3, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(99)],
    )
    deposit_days = models.PositiveSmallIntegerField(_("deposit within days"), null=True, blank=True)
    discount_percent = models.DecimalField(
        _("early-payment discount, percent"), max_digits=6, decimal_places=3, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(50)],
    )
    discount_days = models.PositiveSmallIntegerField(_("discount within days"), null=True, blank=True)
    late_percent = models.DecimalField(
        _("late interest, percent a year"),
        max_digits=6,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Printed on the invoice; 0 means that no interest is charged."),
    )
    is_default = models.BooleanField(_("default of the company"), default=False)

    class Meta:
        verbose_name = _("payment terms")
        verbose_name_plural = _("payment terms")
        ordering = ["company", "net_days"]
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="terms_named_once"),
            models.UniqueConstraint(
                fields=["company"], condition=models.Q(is_default=True), name="one_default_terms_per_company"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def as_rule(self) -> TermsRule:
        """The terms as the arithmetic sees them."""
        return TermsRule(
            self.net_days,
            self.rule,  # type: ignore[arg-type]
            self.day_of_month if self.rule != "net" else None,
            self.shift,  # type: ignore[arg-type]
            tuple(Instalment(Decimal(str(part["percent"])), int(part["days"])) for part in self.parts),
            Decimal(self.deposit_percent), self.deposit_days if self.deposit_percent else None,
            Decimal(self.discount_percent), self.discount_days if self.discount_percent else None,
        )

    def clean(self) -> None:
        """Refuse vague words and terms that name no day, at the field they stand in."""
        from django.core.exceptions import ValidationError

        from core.errors import Refused
        from policies.terms import check_rule, refuse_vague

        try:
            refuse_vague(self.name)
        except Refused as refused:
            raise ValidationError({"name": refused.message}) from None
        if self.parts:
            self.net_days = max(part["days"] for part in self.parts)  # the days of credit they give in all
        if self.net_days is None:
            return  # its own field says so
        try:
            check_rule(self.as_rule())
        except Refused as refused:
            where = {"terms": "net_days"}.get(refused.where, refused.where)
            raise ValidationError({where: refused.message}) from None
