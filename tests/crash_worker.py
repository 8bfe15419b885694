"""Worker processes for the crash tests: each drains the outbox until it is killed.

As Celery does, one process loads everything and forks a worker whenever it is told to, by a line on stdin: «drain»,
or «tick» for the drain as the task runs it. It answers with the worker's process id and, at its end, with its status.
"""

import os
import random
import smtplib
import sys
import threading
import time

import django


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


def slow_line():
    """The body of a letter leaves in two parts, so that a kill also meets the moment between them."""
    at_once = smtplib.SMTP.send

    def send(self, content):
        half = len(content) // 2 if len(content) > 300 else 0
        if half:
            at_once(self, content[:half])
            time.sleep(random.uniform(0, 0.01))
        at_once(self, content[half:])

    smtplib.SMTP.send = send


def work(mode):
    """Be a worker, until killed or left alone."""
    from django.db import Error, connection
    from django.utils import timezone

    from outbox.services import deliver
    from outbox.tasks import deliver_messages

    random.seed()
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            deliver_messages() if mode == "tick" else deliver(timezone.now())
        except Error:  # the database went away: as Celery does, begin the next tick with a new connection
            connection.close()
    os._exit(0)


def say(*words):
    print(*words, flush=True)


def wait_for(worker):
    say("ended", worker, os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))


def main():
    django.setup()
    slow_line()
    register()
    say("ready")
    for mode in sys.stdin:
        worker = os.fork()
        if not worker:
            work(mode.strip())
        say("started", worker)
        threading.Thread(target=wait_for, args=(worker,), daemon=True).start()


if __name__ == "__main__":
    main()
