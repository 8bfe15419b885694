"""The addresses of corrections and papers: credit notes, receipts, the statement of account, documents for clients."""

from django.urls import URLPattern, path

from .desk import staff_page
from .views import credit_notes, papers, statement

urlpatterns: list[URLPattern] = [
    path("invoices/<int:pk>/credit/", staff_page(credit_notes.credit_note_new), name="credit_note_new"),
    path("invoices/<int:pk>/replace/", staff_page(credit_notes.invoice_replace), name="invoice_replace"),
    path("invoices/<int:pk>/again/", staff_page(papers.invoice_again), name="invoice_again"),
    path("credit-notes/", staff_page(credit_notes.credit_notes), name="credit_notes"),
    path("credit-notes/<int:pk>/", staff_page(credit_notes.credit_note_page), name="credit_note"),
    path("credit-notes/<int:pk>/credit-note.pdf", staff_page(credit_notes.credit_note_document),
         name="credit_note_pdf"),
    path("credit-notes/<int:pk>/credit-note.xml", staff_page(credit_notes.credit_note_xml), name="credit_note_xml"),
    path("credit-notes/<int:pk>/send/", staff_page(credit_notes.credit_note_send), name="credit_note_send"),
    path("receipts/", staff_page(papers.receipts), name="receipts"),
    path("receipts/<int:pk>/receipt.pdf", staff_page(papers.receipt_document), name="receipt_pdf"),
    path("payments/<int:pk>/receipt/", staff_page(papers.payment_receipt), name="payment_receipt"),
    path("clients/<int:pk>/statement/", staff_page(statement.client_account), name="client_account"),
    path("clients/<int:pk>/statement/send/", staff_page(statement.client_account_send), name="client_account_send"),
    path("clients/<int:pk>/statement/link/", staff_page(statement.client_page_link), {"page": "statement"},
         name="statement_link"),
    path("clients/<int:pk>/file/wishes/link/", staff_page(statement.client_page_link), {"page": "wishes"},
         name="wishes_link"),
    path("clients/<int:pk>/pay-back/", staff_page(statement.client_pay_back), name="client_pay_back"),
    path("company/documents/", staff_page(papers.company_documents), name="company_documents"),
    path("company/documents/new/", staff_page(papers.company_document_new), name="company_document_new"),
    path("company/documents/<int:pk>/", staff_page(papers.company_document), name="company_document"),
    path("company/documents/<int:pk>/remove/", staff_page(papers.company_document_remove),
         name="company_document_remove"),
]  # fmt: skip
