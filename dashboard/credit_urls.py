"""The addresses of credit: the pages of a client beside the one for the telephone, and the list of what waits."""

from django.urls import URLPattern, path

from .desk import staff_page
from .views import checks, copies, credit, credit_desk, decisions, file, wishes
from .views.timeline import client_timeline_page

urlpatterns: list[URLPattern] = [
    path("credit/", staff_page(credit_desk.credit_desk), name="credit"),
    path("credit/checks/upload/", staff_page(checks.checks_upload_all), name="checks_upload_all"),
    path("credit/terms/send/", staff_page(credit_desk.terms_send_all), name="terms_send_all"),
    path("credit/greetings/leave-out/", staff_page(credit_desk.greeting_leave_out), name="greeting_leave_out"),
    path("greetings/<int:pk>/restore/", staff_page(credit_desk.greeting_restore), name="greeting_restore"),
    path("clients/<int:pk>/credit/", staff_page(credit.client_credit), name="client_credit"),
    path("clients/<int:pk>/credit/limit/", staff_page(credit.limit_set), name="limit_set"),
    path("clients/<int:pk>/credit/status/", staff_page(credit.status_set), name="status_set"),
    path("clients/<int:pk>/credit/again/", staff_page(credit.credit_again), name="credit_again"),
    path("clients/<int:pk>/credit/exception/", staff_page(credit.override_grant), name="override_grant"),
    path("exceptions/<int:pk>/end/", staff_page(credit.override_end), name="override_end"),
    path("clients/<int:pk>/credit/checks/new/", staff_page(checks.check_new), name="check_new"),
    path("clients/<int:pk>/credit/checks/order/", staff_page(checks.check_order), name="check_order"),
    path("clients/<int:pk>/credit/checks/upload/", staff_page(checks.checks_upload), name="checks_upload"),
    path("clients/<int:pk>/credit/decide/", staff_page(decisions.decide), name="credit_decide"),
    path("clients/<int:pk>/credit/otherwise/", staff_page(decisions.decide_otherwise), name="credit_otherwise"),
    path("decisions/<int:pk>/", staff_page(decisions.decision_memo), name="credit_memo"),
    path("decisions/<int:pk>/memo.pdf", staff_page(decisions.decision_memo_pdf), name="credit_memo_pdf"),
    path("proposals/<int:pk>/approve/", staff_page(decisions.proposal_approve), name="proposal_approve"),
    path("proposals/<int:pk>/reject/", staff_page(decisions.proposal_reject), name="proposal_reject"),
    path("clients/<int:pk>/timeline/", staff_page(client_timeline_page), name="client_timeline"),
    path("clients/<int:pk>/file/", staff_page(file.client_about), name="client_about"),
    path("clients/<int:pk>/file/copy/", staff_page(copies.copy_new), name="copy_new"),
    path("copies/<int:pk>/withdraw/", staff_page(copies.copy_withdraw), name="copy_withdraw"),
    path("clients/<int:pk>/file/notes/", staff_page(file.notes_edit), name="notes_edit"),
    path("clients/<int:pk>/file/wishes/", staff_page(wishes.wishes_edit), name="wishes_edit"),
    path("clients/<int:pk>/file/wishes/form/", staff_page(wishes.own_form), name="own_form"),
    path("clients/<int:pk>/file/ways/", staff_page(wishes.ways_edit), name="ways_edit"),
    path("clients/<int:pk>/file/documents/new/", staff_page(file.document_new), name="document_new"),
    path("documents/<int:pk>/", staff_page(file.document), name="document"),
    path("documents/<int:pk>/remove/", staff_page(file.document_remove), name="document_remove"),
    path("documents/<int:pk>/restore/", staff_page(file.document_restore), name="document_restore"),
    path("clients/<int:pk>/file/addresses/new/", staff_page(file.address_new), name="address_new"),
    path("addresses/<int:pk>/", staff_page(file.address_edit), name="address_edit"),
    path("addresses/<int:pk>/remove/", staff_page(file.address_remove), name="address_remove"),
    path("clients/<int:pk>/file/profiles/new/", staff_page(file.profile_new), name="profile_new"),
    path("profiles/<int:pk>/", staff_page(file.profile_edit), name="profile_edit"),
    path("profiles/<int:pk>/look/", staff_page(file.profile_look), name="profile_look"),
    path("profiles/<int:pk>/remove/", staff_page(file.profile_remove), name="profile_remove"),
    path("clients/<int:pk>/file/dates/new/", staff_page(file.key_date_new), name="key_date_new"),
    path("dates/<int:pk>/", staff_page(file.key_date_edit), name="key_date_edit"),
    path("dates/<int:pk>/remove/", staff_page(file.key_date_remove), name="key_date_remove"),
    path("clients/<int:pk>/terms/send/", staff_page(file.terms_send), name="terms_send"),
    path("clients/<int:pk>/terms/paper/", staff_page(file.terms_paper), name="terms_paper"),
]
