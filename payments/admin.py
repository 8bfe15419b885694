"""Payments and where they went, to look at: they are recorded and taken back at the desk."""

from django.contrib import admin

from audit.admin import ReadOnlyAdmin

from .models import Allocation, Checkout, Payment, ProviderEvent, Refund


class AllocationInline(admin.TabularInline[Allocation, Payment]):
    model = Allocation
    extra = 0
    can_delete = False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ["received_on", "client", "amount", "currency", "method", "reference", "recorded_by"]
    list_filter = ["company", "method"]
    search_fields = ["client__name", "reference", "key"]
    list_select_related = ["client"]
    inlines = [AllocationInline]


@admin.register(Checkout)
class CheckoutAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "client", "amount", "currency", "provider", "state", "failed_because"]
    list_filter = ["company", "provider", "state"]
    search_fields = ["client__name", "key", "provider_ref"]
    list_select_related = ["client"]


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "provider", "kind", "event_id", "outcome", "needs_person", "settled_by"]
    list_filter = ["provider", "kind", "needs_person"]
    search_fields = ["event_id", "outcome"]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ["asked_on", "payment", "kind", "amount", "currency", "state", "reason", "asked_by"]
    list_filter = ["kind", "state"]
    search_fields = ["payment__client__name", "reason", "provider_ref"]
    list_select_related = ["payment"]
