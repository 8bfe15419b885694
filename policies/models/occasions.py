"""Days on which clients who agreed to it are greeted."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Company


class Occasion(models.Model):
    """A holiday on which clients who agreed to it are greeted, and the words; key dates of a person have theirs too."""

    RULES = [
        ("fixed", _("the same day every year")),
        ("nth_weekday", _("such as the fourth Thursday of a month")),
        ("easter", _("days from Easter")),
        ("key_date", _("the client's own day")),
    ]

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="occasions")
    code = models.SlugField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=80)
    rule = models.CharField(_("falls on"), max_length=12, choices=RULES, default="fixed")
    month = models.PositiveSmallIntegerField(_("month"), null=True, blank=True)
    day = models.SmallIntegerField(_("day, or days from Easter"), null=True, blank=True)
    nth = models.PositiveSmallIntegerField(_("which of the month"), null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(_("weekday, Monday is 0"), null=True, blank=True)
    days_before = models.PositiveSmallIntegerField(_("is sent days before"), default=0)
    countries = models.CharField(
        _("only in"), max_length=120, blank=True, help_text=_("Such as DE AT CH; empty: everywhere.")
    )
    subject_en = models.CharField(_("subject, English"), max_length=150)
    subject_de = models.CharField(_("subject, German"), max_length=150)
    subject_fr = models.CharField(_("subject, French"), max_length=150)
    text_en = models.TextField(_("text, English"))
    text_de = models.TextField(_("text, German"))
    text_fr = models.TextField(_("text, French"))
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["company", "month", "day", "code"]
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="occasion_once_per_company")]

    def __str__(self) -> str:
        return self.name
