"""What an administrator sets for a company, on one page, and who may sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin
from core.models import BankAccount, Company, CompanyProfile, Holiday, PaymentMethod
from policies.models import CompanyPolicy, Terms
from policies.services import use_policy

admin.site.site_header = _("AR Ledger settings")
admin.site.site_title = "AR Ledger"
admin.site.index_title = _("Settings")
admin.site.enable_nav_sidebar = False
admin.site.unregister(get_user_model())


class BankAccountInline(admin.StackedInline[BankAccount, Company]):
    model = BankAccount
    extra = 0


class PaymentMethodInline(admin.TabularInline[PaymentMethod, Company]):
    """The ways to pay; a card is taken by one of the providers that are set up here."""

    model = PaymentMethod
    extra = 0

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        if db_field.name != "provider":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        names = [(name, name.title()) for name in settings.PAYMENT_PROVIDERS]
        return forms.ChoiceField(label=db_field.verbose_name, choices=[("", "—"), *names], required=False)


class TermsInline(admin.TabularInline[Terms, Company]):
    model = Terms
    extra = 0


class PolicyInline(admin.TabularInline[CompanyPolicy, Company]):
    model = CompanyPolicy
    extra = 0
    can_delete = False


class ProfileInline(admin.TabularInline[CompanyProfile, Company]):
    model = CompanyProfile
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    extra = 0


class HolidayInline(admin.TabularInline[Holiday, Company]):
    model = Holiday
    extra = 0


@admin.register(Company)
class CompanyAdmin(AuditedAdmin):
    list_display = ["name", "code", "country", "currency", "time_zone", "paper", "design"]
    fieldsets = [
        (None, {"fields": ["code", "name", "legal_name", "tagline"]}),
        (_("Address"), {"fields": ["street", "postal_code", "city", "region", "country", "email", "phone"]}),
        (_("Tax and register"), {"fields": ["tax_number", "register_entry"]}),
        (_("How it works"), {"fields": ["time_zone", "language", "currency"]}),
        (
            _("Documents"),
            {
                "fields": ["paper", "design", "accent", "sends_receipts"],
                "description": _("A client can have another paper and design; both are kept with each document."),
            },
        ),
    ]
    inlines = [BankAccountInline, PaymentMethodInline, TermsInline, PolicyInline, ProfileInline, HolidayInline]

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        """Another policy holds from the company's today on; which one it was before is kept."""
        if formset.model is CompanyPolicy:
            for row in formset.save(commit=False):
                use_policy(row.company, row.name, request.user)
            return
        super().save_formset(request, form, formset, change)


@admin.register(User)
class StaffAdmin(UserAdmin[User], AuditedAdmin):
    """Who may sign in; a password never appears in the audit."""

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        AuditedAdmin.save_related(self, request, form, formsets, change)
