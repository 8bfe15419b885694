from django.urls import include, path

from . import files, paying, pro_forma, statement, terms, views, wishes

app_name = "portal"

urlpatterns = [
    path("i/brand-<str:colour>.css", views.brand, name="brand"),
    path(
        "i/<int:link_id>/<str:token>/",
        include(
            [
                path("", views.invoice, name="invoice"),
                path("pdf/", views.pdf, name="pdf"),
                path("seen/", views.seen, name="seen"),
                path("terms/", terms.of_invoice, name="invoice_terms"),
                path("paid/", views.answer, {"answer": "paid"}, name="paid"),
                path("promise/", views.answer, {"answer": "promise"}, name="promise"),
                path("query/", views.answer, {"answer": "query"}, name="query"),
                path("plan/", views.answer, {"answer": "plan"}, name="plan"),
                path("forward/", views.answer, {"answer": "forward"}, name="forward"),
                path("pay/", paying.pay, name="pay"),
                path("statement/", statement.from_invoice, name="from_invoice"),
                path("wishes/", wishes.from_invoice, name="invoice_wishes"),
                path("xml/", files.xml, name="xml"),
                path("receipts/<int:pk>/", files.receipt, name="receipt"),
                path("documents/<int:pk>/", files.document, name="document"),
            ]
        ),
    ),
    path(
        "s/<int:link_id>/<str:token>/",
        include(
            [
                path("", statement.statement, name="statement"),
                path("code/", statement.code, name="statement_code"),
                path("open/", statement.unlock, name="statement_open"),
                path("close/", statement.lock, name="statement_close"),
                path("seen/", statement.seen, name="statement_seen"),
                path("pay/", statement.pay, name="statement_pay"),
                path("pdf/", statement.pdf, name="statement_pdf"),
                path("csv/", statement.csv, name="statement_csv"),
                path("invoices/<int:pk>/", statement.invoice, name="statement_invoice"),
                path("receipts/<int:pk>/", statement.receipt, name="statement_receipt"),
                path("documents/<int:pk>/", statement.document, name="statement_document"),
            ]
        ),
    ),
    path("w/<int:link_id>/<str:token>/", wishes.wishes, name="wishes"),
    path("checkout/<str:key>/", paying.checkout, name="checkout"),
    path(
        "p/<int:link_id>/<str:token>/",
        include(
            [
                path("", pro_forma.pro_forma, name="pro_forma"),
                path("pdf/", pro_forma.pdf, name="pro_forma_pdf"),
                path("seen/", pro_forma.seen, name="pro_forma_seen"),
            ]
        ),
    ),
    path(
        "t/<int:link_id>/<str:token>/",
        include(
            [
                path("", terms.terms, name="terms"),
                path("pdf/", terms.pdf, name="terms_pdf"),
                path("seen/", terms.seen, name="terms_seen"),
                path("accept/", terms.accept, name="terms_accept"),
                path("present/", terms.present, name="terms_present"),
            ]
        ),
    ),
]
