"""The doorbell: asks the worker to look now instead of at its next tick.

Nothing depends on it. The database is the queue, and a bell that nobody hears costs the time until the next tick.
"""

import logging
from functools import partial
from time import monotonic
from typing import Any

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)

HEARD_WITHIN = 60  # seconds; by then the tick itself has come
QUIET_AFTER_FAILURE = 30  # seconds without a further try, so that a broker that is gone slows nobody down
IMPATIENT = {"max_retries": 0, "socket_connect_timeout": 0.2, "socket_timeout": 0.2, "retry_on_timeout": False}

unheard = 0
_quiet_until = 0.0


def ring(task: str, *ids: int | str) -> None:
    """Ask the worker for this task as soon as the present transaction is committed; a missing broker is no error."""
    transaction.on_commit(partial(_ring_now, task, ids), robust=True)


def _ring_now(task: str, ids: tuple[int | str, ...]) -> None:
    global unheard, _quiet_until
    if monotonic() < _quiet_until:
        unheard += 1
        return
    options: dict[str, Any] = {**current_app.conf.broker_transport_options, **IMPATIENT}
    try:
        with current_app.connection_for_write(transport_options=options, connect_timeout=0.5) as connection:
            current_app.send_task(task, ids, connection=connection, retry=False, expires=HEARD_WITHIN)
    except Exception as why:  # whatever the broker says, the caller's work is done and stays done
        unheard += 1
        _quiet_until = monotonic() + QUIET_AFTER_FAILURE
        log.warning("nobody heard the bell for %s (%d so far): %s", task, unheard, why)
