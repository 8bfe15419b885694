"""The site map on one screen."""

from django.contrib import admin
from django.contrib.auth import views as account
from django.urls import include, path
from django.views.generic import RedirectView

from arledger.setup.views import setup, setup_step

urlpatterns = [
    path("account/login/", account.LoginView.as_view(), name="login"),
    path("account/logout/", account.LogoutView.as_view(), name="logout"),
    path("account/password/", account.PasswordChangeView.as_view(), name="password_change"),
    path("account/password/done/", account.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),  # one door
    path("admin/", admin.site.urls),
    path("setup/<str:token>/", setup, name="setup"),
    path("setup/<str:token>/<slug:name>/", setup_step, name="setup_step"),
    path("", include("portal.provider_urls")),
    path("", include("portal.urls")),
    path("", include("dashboard.urls")),
]

handler404 = "arledger.errors.not_found"
handler500 = "arledger.errors.broken"
