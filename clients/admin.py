"""Clients and the facts about trust as the administrator sees them; the desk is where they are kept and decided."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models

from audit.admin import ReadOnlyAdmin

from .models import (
    Acceptance,
    Client,
    Contact,
    CreditCheck,
    CreditDecision,
    CreditLimit,
    CreditOverride,
    Document,
    KeyDate,
    Profile,
    StatusChange,
)


class ContactInline(admin.TabularInline[Contact, Client]):
    model = Contact
    extra = 0
    can_delete = False


class ProfileInline(admin.TabularInline[Profile, Client]):
    model = Profile
    extra = 0
    can_delete = False
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


class KeyDateInline(admin.TabularInline[KeyDate, Client]):
    model = KeyDate
    extra = 0
    can_delete = False


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    list_display = ["name", "number", "company", "country", "currency", "terms"]
    list_filter = ["company", "currency"]
    search_fields = ["name", "number"]
    inlines = [ContactInline, ProfileInline, KeyDateInline]


class TrustAdmin(ReadOnlyAdmin):
    """A fact about a client: found by its name or number, never changed here."""

    search_fields = ["client__name", "client__number"]
    list_select_related = ["client"]


@admin.register(CreditCheck)
class CreditCheckAdmin(TrustAdmin):
    list_display = ["client", "provider", "checked_on", "valid_until", "score", "rating", "entered_by"]
    list_filter = ["client__company", "provider"]


@admin.register(CreditDecision)
class CreditDecisionAdmin(TrustAdmin):
    list_display = ["client", "outcome", "limit", "currency", "decided_on", "decided_by", "expires_on", "reason"]
    list_filter = ["client__company", "outcome"]


@admin.register(CreditLimit)
class CreditLimitAdmin(TrustAdmin):
    list_display = ["client", "amount", "currency", "effective_on", "source", "because", "set_by"]
    list_filter = ["client__company", "source"]


@admin.register(StatusChange)
class StatusChangeAdmin(TrustAdmin):
    list_display = ["client", "status", "effective_on", "ends_on", "source", "because", "set_by"]
    list_filter = ["client__company", "status", "source"]


@admin.register(CreditOverride)
class CreditOverrideAdmin(TrustAdmin):
    list_display = ["client", "allows", "granted_on", "expires_on", "reason", "granted_by", "ended_at"]
    list_filter = ["client__company", "allows"]


@admin.register(Document)
class DocumentAdmin(TrustAdmin):
    list_display = ["name", "client", "kind", "added_by", "added_at", "removed_at"]
    list_filter = ["client__company", "kind"]
    search_fields = [*TrustAdmin.search_fields, "name"]


@admin.register(Acceptance)
class AcceptanceAdmin(TrustAdmin):
    list_display = ["client", "terms", "accepted_by", "accepted_at", "way", "recorded_by"]
    list_filter = ["client__company", "way"]

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("terms__company")
