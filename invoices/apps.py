from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")

    def ready(self) -> None:
        import datetime as dt

        from core import housekeeping
        from outbox import sealing

        from . import bulk, mail_previews, resending, zips
        from .link_mails import register_link_kinds
        from .mails import register_kinds
        from .pdf import register_printables
        from .services.codes import forget_codes
        from .services.kept_links import with_tokens, without_tokens

        register_kinds()
        register_printables()
        register_link_kinds()
        mail_previews.register_kinds()
        resending.register_kinds()
        bulk.register_works()
        housekeeping.register(housekeeping.Chore("remove prepared files", dt.timedelta(hours=1), zips.sweep_prepared))
        housekeeping.register(housekeeping.Chore("forget codes", dt.timedelta(days=1), forget_codes))
        sealing.register(without_tokens, with_tokens)
