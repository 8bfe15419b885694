from django.urls import path

from . import hooks, mail_hooks, sandbox

app_name = "providers"

urlpatterns = [
    path("hooks/mail/<slug:provider>/", mail_hooks.hook, name="mail_hook"),
    path("hooks/<slug:provider>/", hooks.hook, name="hook"),
    path("sandbox/<slug:key>/", sandbox.page, name="sandbox"),
    path("sandbox/<slug:key>/confirm/", sandbox.confirm, name="sandbox_confirm"),
    path("sandbox/<slug:key>/bank/", sandbox.bank, name="sandbox_bank"),
]
