"""The addresses of what comes before an invoice: completed work, what recurs, and pro formas."""

from django.urls import URLPattern, path

from .desk import staff_page
from .views import pro_forma, recurring, work

urlpatterns: list[URLPattern] = [
    path("work/", staff_page(work.work), name="work"),
    path("work/new/", staff_page(work.work_new), name="work_new"),
    path("work/invoice/", staff_page(work.work_invoice), name="work_invoice"),
    path("work/<int:pk>/", staff_page(work.work_edit), name="work_edit"),
    path("work/<int:pk>/release/", staff_page(work.work_release), name="work_release"),
    path("work/<int:pk>/remove/", staff_page(work.work_remove), name="work_remove"),
    path("work/<int:pk>/restore/", staff_page(work.work_restore), name="work_restore"),
    path("recurring/", staff_page(recurring.recurring), name="recurring"),
    path("recurring/new/", staff_page(recurring.recurring_new), name="recurring_new"),
    path("recurring/look/", staff_page(recurring.recurring_look), name="recurring_look"),
    path("recurring/<int:pk>/", staff_page(recurring.recurring_page), name="recurring_page"),
    path("recurring/<int:pk>/edit/", staff_page(recurring.recurring_edit), name="recurring_edit"),
    path("recurring/<int:pk>/pause/", staff_page(recurring.recurring_pause), name="recurring_pause"),
    path("recurring/<int:pk>/resume/", staff_page(recurring.recurring_resume), name="recurring_resume"),
    path("recurring/<int:pk>/end/", staff_page(recurring.recurring_end), name="recurring_end"),
    path("recurring/<int:pk>/skip/", staff_page(recurring.recurring_skip), name="recurring_skip"),
    path("recurring/days/<int:pk>/again/", staff_page(recurring.run_again), name="recurring_again"),
    path("recurring/days/<int:pk>/leave-out/", staff_page(recurring.run_leave_out), name="recurring_leave_out"),
    path("invoices/<int:pk>/pro-forma/", staff_page(pro_forma.pro_forma_new), name="pro_forma_new"),
    path("pro-formas/", staff_page(pro_forma.pro_formas), name="pro_formas"),
    path("pro-formas/<int:pk>/", staff_page(pro_forma.pro_forma_page), name="pro_forma"),
    path("pro-formas/<int:pk>/pro-forma.pdf", staff_page(pro_forma.pro_forma_document_pdf), name="pro_forma_pdf"),
    path("pro-formas/<int:pk>/send/", staff_page(pro_forma.pro_forma_send), name="pro_forma_send"),
    path("pro-formas/<int:pk>/cancel/", staff_page(pro_forma.pro_forma_cancel), name="pro_forma_cancel"),
    path("pro-formas/<int:pk>/release/", staff_page(pro_forma.pro_forma_release), name="pro_forma_release"),
    path("pro-formas/<int:pk>/link/", staff_page(pro_forma.pro_forma_link), name="pro_forma_link"),
]
