from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        import datetime as dt

        from core import housekeeping

        from .mails import register_kinds
        from .receipt_document import register_printables
        from .services.hearing import hear_waiting

        register_kinds()
        register_printables()
        housekeeping.register(housekeeping.Chore("ask payment providers", dt.timedelta(minutes=10), hear_waiting))
