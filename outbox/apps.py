from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "outbox"
    verbose_name = _("Outbox")

    def ready(self) -> None:
        from anymail.signals import tracking

        from .tracking import heard

        tracking.connect(heard, dispatch_uid="outbox.heard")
