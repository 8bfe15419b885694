"""The addresses of what is done with many invoices at once, and of what a draft or a mail can be tried with."""

from django.urls import URLPattern, path

from .desk import staff_page
from .views import bulk, invoices, sending

urlpatterns: list[URLPattern] = [
    path("invoices/bulk/", staff_page(bulk.bulk), name="bulk"),
    path("invoices/bulk/start/", staff_page(bulk.bulk_start), name="bulk_start"),
    path("invoices/bulk/<int:pk>/", staff_page(bulk.bulk_run), name="bulk_run"),
    path("invoices/bulk/<int:pk>/progress/", staff_page(bulk.bulk_progress), name="bulk_progress"),
    path("invoices/bulk/<int:pk>/stop/", staff_page(bulk.bulk_stop), name="bulk_stop"),
    path("invoices/bulk/<int:pk>/undo/", staff_page(bulk.bulk_undo), name="bulk_undo"),
    path("invoices/bulk/<int:pk>/go-on/", staff_page(bulk.bulk_go_on), name="bulk_go_on"),
    path("invoices/zip/<int:pk>/", staff_page(bulk.bulk_zip), name="bulk_zip"),
    path("invoices/zip/<int:pk>/invoices.zip", staff_page(bulk.bulk_zip_file), name="bulk_zip_file"),
    path("invoices/<int:pk>/duplicate/", staff_page(invoices.invoice_duplicate), name="invoice_duplicate"),
    path("invoices/<int:pk>/mail/", staff_page(sending.mail_html), name="invoice_mail"),
]
