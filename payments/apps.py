from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from .mails import register_kinds
        from .receipt_document import register_printables

        register_kinds()
        register_printables()
