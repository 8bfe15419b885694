"""The Celery app and THE beat table: everything that happens by itself, on one screen.

The database is the queue and Celery only a doorbell: a lost, doubled or late task costs time, never correctness.
"""

import os
from pathlib import Path
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arledger.settings")

BEAT = {
    "send-pre-due-and-overdue-reminders": {"task": "collections.plan", "schedule": 60.0},
    "deliver-messages": {"task": "outbox.deliver", "schedule": 15.0},
    "apply-late-interest": {"task": "collections.apply_late_interest", "schedule": 60.0},
    "invoice-completed-work": {"task": "invoices.invoice_work", "schedule": 60.0},
    "invoice-what-recurs": {"task": "invoices.invoice_recurring", "schedule": 60.0},
    "send-receipts": {"task": "payments.send_receipts", "schedule": 60.0},
    "print-documents": {"task": "invoices.print", "schedule": 30.0},
    "note-who-crosses-a-limit": {"task": "invoices.note_credit", "schedule": 3600.0},
    "look-after-credit": {"task": "collections.look_after_credit", "schedule": 600.0},
    "lift-cash-only": {"task": "collections.lift_cash_only", "schedule": 60.0},
    "greet-clients": {"task": "collections.greet", "schedule": 600.0},
    "housekeeping": {"task": "core.housekeeping", "schedule": 600.0},
}
# A tick that nobody took in time is not worth taking: the next one does its work.
for entry in BEAT.values():
    entry["options"] = {"expires": max(entry["schedule"] - 5, 10)}  # type: ignore[operator]


def broker(redis_url: str, folder: Path) -> dict[str, Any]:
    """Redis where REDIS_URL names one, else a broker of files in the data folder; the same ticks on both."""
    if redis_url:
        return {
            "broker_url": redis_url,
            "broker_transport_options": {
                "visibility_timeout": 300,  # longer than the longest task, or Redis delivers it twice
                "unacked_restore_interval": 5,
                "unacked_restore_throttle": 1,
                "socket_timeout": 5,
                "socket_connect_timeout": 2,
                "health_check_interval": 30,
                "retry_on_timeout": True,
            },
        }
    for name in ("queue", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://localhost",
        "broker_transport": "arledger.file_broker:Transport",
        "broker_transport_options": {
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        },
        "worker_enable_remote_control": False,
    }


def configuration() -> dict[str, Any]:
    from django.conf import settings

    return {
        **broker(settings.REDIS_URL, settings.BROKER_DIR),
        "beat_schedule": BEAT,
        "beat_schedule_filename": str(settings.DATA_DIR / "beat"),
        "timezone": "UTC",
        "enable_utc": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_soft_time_limit": 200,
        "task_time_limit": 240,
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": 1 if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else 2,
        "worker_max_tasks_per_child": 200,
        "worker_max_memory_per_child": 300_000,
        "worker_soft_shutdown_timeout": 30,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
    }


app = Celery("arledger")
app.add_defaults(configuration)  # read when first needed: settings are still being made here
app.autodiscover_tasks()
