from datetime import timedelta

from django.apps import AppConfig


class ARLedgerConfig(AppConfig):
    name = "arledger"
    verbose_name = "AR Ledger"

    def ready(self) -> None:
        from arledger import checks, invariants  # noqa: F401  registers the system checks
        from core.housekeeping import Chore, register

        register(Chore("check ledger, fast", timedelta(minutes=10), lambda now: invariants.check(now, fast=True)))
        register(Chore("check ledger", timedelta(days=1), invariants.check))
