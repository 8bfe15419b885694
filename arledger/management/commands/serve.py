"""`manage.py serve`: web, worker and beat in one command."""

import errno
import fcntl
import os
import socket
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arledger.supervision import Household, Program
from core.models import Company

PORTS_TO_TRY = 100


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8000` as host and port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ArgumentTypeError(f"«{text}» is not an address. Write host:port, for example 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


class Command(BaseCommand):
    help = "Migrate, then run web, worker and beat until Ctrl-C. One `serve` per data folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--bind",
            type=address,
            default=("127.0.0.1", 8000),
            metavar="HOST:PORT",
            help="where the web listens (127.0.0.1:8000); a taken port moves to the next free one",
        )
        parser.add_argument("--web-workers", type=int, default=2, metavar="N", help="web processes (2)")
        parser.add_argument("--demo", action="store_true", help="where the database is empty, load the demo book first")

    def handle(self, *args: Any, **options: Any) -> None:
        lock = self._lock()
        call_command("migrate", interactive=False, verbosity=0)
        if options["demo"] and not Company.objects.exists():
            self.stdout.flush()
            subprocess.run([sys.executable, "manage.py", "demo", "--if-empty"], cwd=settings.BASE_DIR, check=True)
        if not settings.LOCAL:
            call_command("collectstatic", interactive=False, verbosity=0)
        host, wanted = options["bind"]
        listener = listen(host, wanted)
        port = listener.getsockname()[1]
        if wanted and port != wanted:
            self.stdout.write(f"Port {wanted} is taken; using {port}.")
        environment = dict(os.environ, PYTHONUNBUFFERED="1", PUBLIC_URL=public_url(host, port))
        note(lock, f"{os.getpid()} {environment['PUBLIC_URL']}")

        settled = stamp(settings.INSTALLED_ENV)
        household = Household(settings.BASE_DIR, environment, say=self._say)
        household.start(web(listener, options["web_workers"]))
        household.start(worker_and_beat())
        listener.close()
        self._say(f"AR Ledger is at {environment['PUBLIC_URL']}  (Ctrl-C stops it)")
        if not get_user_model().objects.exists():
            call_command("setup_link", at=environment["PUBLIC_URL"], stdout=self.stdout)
            self.stdout.flush()
        status = household.live(until=lambda: stamp(settings.INSTALLED_ENV) != settled)
        lock.close()
        if not status and not household.asked_to_stop:
            self._say("The set-up page wrote new settings: beginning anew with them.")
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
        self._say("AR Ledger has stopped.")
        sys.exit(status)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _lock(self) -> IO[str]:
        """The lock of this data folder, held while we live: a second `serve` on the same folder is refused."""
        lock = open(settings.DATA_DIR / "serve.lock", "a+")  # noqa: SIM115  closed when we end
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid, _, where = lock.read().partition(" ")
            raise CommandError(
                f"AR Ledger already runs on {settings.DATA_DIR} (process {pid}, {where}). "
                "Stop that one first, or give this one another folder in DATA_DIR."
            ) from None
        return lock


def stamp(path: Path) -> int:
    """When a file was last written; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def note(lock: IO[str], line: str) -> None:
    lock.truncate(0)
    lock.write(line)
    lock.flush()


def listen(host: str, wanted: int) -> socket.socket:
    """A listening socket on the wanted port, or on the next free one above it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(wanted, min(wanted + PORTS_TO_TRY, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(256)
        except OSError as why:
            listener.close()
            if why.errno != errno.EADDRINUSE:
                raise CommandError(
                    f"Cannot listen on {host}:{port}: {why.strerror}. Choose another with --bind."
                ) from why
            continue
        return listener
    raise CommandError(
        f"No free port from {wanted} to {wanted + PORTS_TO_TRY - 1} on {host}. Choose another with --bind."
    )


def public_url(host: str, port: int) -> str:
    """What clients open: the address that was set, or, on one's own machine, the one we listen on."""
    if settings.PUBLIC_URL_GIVEN:
        return str(settings.PUBLIC_URL)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{shown}:{port}"


def web(listener: socket.socket, processes: int) -> Program:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "arledger.wsgi",
        "--bind",
        f"fd://{listener.fileno()}",
        "--workers",
        str(processes),
        "--worker-class",
        "gthread",
        "--threads",
        "4",
        "--timeout",
        "120",
        "--graceful-timeout",
        "10",
        "--log-level",
        "warning",
    ]
    return Program("The web", command, pass_fds=(listener.fileno(),))


def worker_and_beat() -> Program:
    command = [
        sys.executable,
        "-W",
        "ignore::UserWarning:celery.platforms",  # that it runs as root, where somebody chose so
        "-m",
        "celery",
        "--quiet",
        "-A",
        "arledger",
        "worker",
        "-B",
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "INFO",
    ]
    return Program("The worker", command)
