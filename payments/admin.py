"""Payments and where they went, to look at: they are recorded and taken back at the desk."""

from django.contrib import admin

from audit.admin import ReadOnlyAdmin

from .models import Allocation, Payment


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
