from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisputesConfig(AppConfig):
    name = "disputes"
    verbose_name = _("Disputes")

    def ready(self) -> None:
        from invoices.services.charging import register_quarrels

        from .quarrels import disputed_days

        register_quarrels(disputed_days)
