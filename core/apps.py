"""core: words that every app shares."""

from datetime import timedelta

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from . import guards


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        # The one signal in the house: a migration may rebuild a table and lose its triggers.
        # Sent once per app when all migrations are done; heard once, as core.
        post_migrate.connect(guards.after_migrate, sender=self, dispatch_uid="core.guards")

        from . import housekeeping, jobs

        housekeeping.register(housekeeping.Chore("sweep jobs", timedelta(minutes=1), jobs.sweep_jobs))
