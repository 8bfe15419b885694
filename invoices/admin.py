"""Number series, invoices, charges and the ledger, to look at: money moves at the desk, through the verbs."""

from django.contrib import admin

from audit.admin import ReadOnlyAdmin

from .models import (
    Charge,
    CompletedWork,
    Entry,
    Invoice,
    InvoiceLine,
    ProForma,
    RecurringInvoice,
    RecurringLine,
    RecurringRun,
    Series,
)


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


@admin.register(ProForma)
class ProFormaAdmin(ReadOnlyAdmin):
    list_display = ["number", "invoice", "made_on", "pay_by", "total", "currency", "cancelled_at"]
    list_filter = ["series__company", "currency"]
    search_fields = ["number", "invoice__client__name"]
    list_select_related = ["invoice"]


@admin.register(CompletedWork)
class CompletedWorkAdmin(ReadOnlyAdmin):
    list_display = ["description", "client", "done_on", "gross", "currency", "invoice", "refused_because", "removed_at"]
    list_filter = ["company", "currency"]
    search_fields = ["description", "key", "client__name", "po_number"]
    list_select_related = ["client", "invoice"]


class RecurringLineInline(admin.TabularInline[RecurringLine, RecurringInvoice]):
    model = RecurringLine
    extra = 0
    can_delete = False


@admin.register(RecurringInvoice)
class RecurringInvoiceAdmin(ReadOnlyAdmin):
    list_display = ["name", "client", "every", "unit", "starts_on", "ends_on", "paused_at"]
    list_filter = ["company"]
    search_fields = ["name", "client__name"]
    list_select_related = ["client"]
    inlines = [RecurringLineInline]


@admin.register(RecurringRun)
class RecurringRunAdmin(ReadOnlyAdmin):
    list_display = ["recurring", "on", "invoice", "refused_because", "skipped_by"]
    list_filter = ["recurring__company"]
    list_select_related = ["recurring", "invoice"]


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
