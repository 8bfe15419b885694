"""Misconfiguration that can be seen once the apps are loaded, as Django system checks."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


@checks.register("arledger")
def data_folder_is_writable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    if os.access(settings.DATA_DIR, os.W_OK):
        return []
    return [
        checks.Error(
            f"DATA_DIR is {settings.DATA_DIR} and this user may not write there.",
            hint="Give the folder to the user that runs AR Ledger, or set DATA_DIR to another.",
            id="arledger.E001",
        )
    ]


@checks.register("arledger")
def sqlite_writes_one_at_a_time(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Without IMMEDIATE, two writers at once lose requests; without recursive triggers, issued rows can be replaced."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.sqlite3":
        return []
    options = database.get("OPTIONS", {})
    if options.get("transaction_mode") == "IMMEDIATE" and "recursive_triggers=ON" in options.get("init_command", ""):
        return []
    return [
        checks.Error(
            "DATABASES: SQLite runs without transaction_mode IMMEDIATE or without recursive_triggers.",
            hint="Use SQLITE_OPTIONS of arledger/settings.py unchanged.",
            id="arledger.E002",
        )
    ]


@checks.register("arledger")
def payment_provider_is_whole(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Half set up a provider takes no payment: without its secret anybody could say that an invoice is paid."""
    keys = {"STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY, "STRIPE_WEBHOOK_SECRET": settings.STRIPE_WEBHOOK_SECRET}
    missing = [name for name, value in keys.items() if not value]
    if len(missing) != 1:
        return []
    return [
        checks.Warning(
            f"{missing[0]} is missing: Stripe is not offered to clients, and its calls are refused.",
            hint=f"Set {missing[0]} too, or remove the other; see «Card and wallet» in docs/operations.md.",
            id="arledger.W004",
        )
    ]


@checks.register("arledger")
def requests_hold_no_transaction(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.DATABASES["default"].get("ATOMIC_REQUESTS"):
        return []
    return [
        checks.Error(
            "DATABASES: ATOMIC_REQUESTS is on; every page would take the write lock.",
            hint="Remove ATOMIC_REQUESTS: each verb opens its own transaction.",
            id="arledger.E003",
        )
    ]
