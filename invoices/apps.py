from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")

    def ready(self) -> None:
        from outbox import sealing

        from .mails import register_kinds
        from .services.kept_links import with_tokens, without_tokens

        register_kinds()
        sealing.register(without_tokens, with_tokens)
