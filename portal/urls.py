from django.urls import include, path

from . import pro_forma, terms, views

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
            ]
        ),
    ),
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
