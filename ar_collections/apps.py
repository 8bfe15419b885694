from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CollectionsConfig(AppConfig):
    name = "ar_collections"
    label = "collections"
    verbose_name = _("Collections")

    def ready(self) -> None:
        from outbox import returns

        from .credit_mails import register_credit_kinds
        from .greeting_mails import register_greeting_kinds
        from .mails import register_kinds
        from .services.bounces import came_back
        from .services.money_tasks import register_money_tasks
        from .step_previews import register_step_previews
        from .trials import register_dry_runs

        register_kinds()
        register_step_previews()
        register_dry_runs()
        register_greeting_kinds()
        register_credit_kinds()
        register_money_tasks()
        returns.register("reminders", came_back)
