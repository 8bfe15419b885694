"""Number series, invoices, charges and the ledger, to look at: money moves at the desk, through the verbs."""

from django.contrib import admin

from audit.admin import ReadOnlyAdmin

from .models import Charge, Entry, Invoice, InvoiceLine, Series


@admin.register(Series)
class SeriesAdmin(ReadOnlyAdmin):
    list_display = ["company", "kind", "year", "prefix", "last"]
    list_filter = ["company"]


class LineInline(admin.TabularInline[InvoiceLine, Invoice]):
    model = InvoiceLine
    extra = 0
    can_delete = False


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "client", "company", "issued_on", "due_on", "total", "balance", "currency"]
    list_filter = ["company", "currency"]
    search_fields = ["number", "client__name", "reference"]
    list_select_related = ["client", "company"]
    inlines = [LineInline]


@admin.register(Charge)
class ChargeAdmin(ReadOnlyAdmin):
    list_display = ["key", "client", "kind", "amount", "balance", "currency", "charged_on"]
    list_filter = ["company", "kind"]
    list_select_related = ["client"]


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ["effective_on", "kind", "client", "dr", "cr", "amount", "currency", "posted_by", "key"]
    list_filter = ["company", "kind", "currency"]
    search_fields = ["key", "doc", "client__name"]
    list_select_related = ["client"]
    date_hierarchy = "effective_on"
