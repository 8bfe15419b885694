from django.apps import AppConfig


class ARLedgerConfig(AppConfig):
    name = "arledger"
    verbose_name = "AR Ledger"

    def ready(self) -> None:
        from arledger import checks  # noqa: F401  registers the system checks
