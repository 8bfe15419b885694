"""A worker process for the crash tests: drains the outbox until it is killed, or by the real tick («tick»).

It says «ready» once everything is loaded and waits for a line before it begins, so that a kill hits the drain.
"""

import sys

import django

MODE = sys.argv[1] if len(sys.argv) > 1 else "drain"


def register():
    """The kind «crash»: a short letter with an attachment, whose hook leaves a trace in the same transaction."""
    from core.models import Job
    from outbox import kinds

    def compose(message, now):
        letter = [("page.txt", "text/plain", b"the same page in every letter")]
        return kinds.Composed("Ada", "ada@firm.test", message.key, "Hello\n", attachments=letter)

    def leave_a_trace(message, state):
        Job.objects.create(kind="crash", step=message.key, state="done")

    kinds.register(kinds.Kind("crash", compose=compose, after=leave_a_trace))


def main():
    django.setup()
    from django.db import Error, connection
    from django.utils import timezone

    from outbox.services import deliver
    from outbox.tasks import deliver_messages

    register()
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        try:
            deliver_messages() if MODE == "tick" else deliver(timezone.now())
        except Error:  # the database went away: as Celery does, begin the next tick with a new connection
            connection.close()


if __name__ == "__main__":
    main()
