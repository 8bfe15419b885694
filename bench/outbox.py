"""How fast reminders are written and handed over: `python bench/outbox.py [messages]`, 10,000 unless told otherwise.

A mail server on a loopback port, in a process of its own, takes every letter and keeps its bytes. One worker drains the
outbox; then a bare smtplib loop sends the very same bytes; then two workers share as many messages again, and the
server has to have each once: none doubled, none lost. On SQLite, and on PostgreSQL where BENCH_DATABASE_URL names an
empty database or a server's programs are installed. With --profile what the time of the worker goes into.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import pstats
import smtplib
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
DAY = timedelta(days=1)
LATE = date(2026, 11, 18)  # a Wednesday
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def main() -> int:
    numbers = [int(said) for said in sys.argv[1:] if said.isdigit()]
    count, profile = (numbers or [10_000])[0], "--profile" in sys.argv
    failed = 0
    with tempfile.TemporaryDirectory(prefix="arledger-bench-") as folder:
        failed += measure("SQLite", f"sqlite:///{folder}/book.sqlite3", Path(folder), count, profile)
    from exposure import a_database

    with tempfile.TemporaryDirectory(prefix="arledger-bench-") as folder, a_database(Path(folder)) as url:
        failed += measure("PostgreSQL", url, Path(folder), count, profile)
    return int(failed > 0)


def measure(name: str, url: str, folder: Path, count: int, profile: bool) -> int:
    """One worker, the bare loop and two workers over one database; answers how many letters went wrong."""
    with a_sink(folder) as sink:
        given = {
            "DATABASE_URL": url, "DATA_DIR": str(folder), "ENV_FILE": os.devnull, "REDIS_URL": "",
            "EMAIL_URL": f"smtp://127.0.0.1:{sink}", "MAIL_FROM": "ar@bench.test",
            "PUBLIC_URL": "https://ar.bench.test", "LOG_LEVEL": "WARNING",
            "SECRET_KEY": "k7Vd0sK2mZx9Lr4TbNf8Yw1HcGj5PaUeRi6OoXnCvBtMkDlSzEyWhJqFgAu3Ip",
            "LINK_KEY": "Ip3uAgFqJhWyEzSlDkMtBvCnXoO6iReUaP5jGcH1wY8fNbT4rL9xZm2Ks0dV7q",
        }  # fmt: skip
        began = time.perf_counter()
        finished(process("--fill", count, given))
        say(name, f"{count:,} clients with a reminder due, planned in {time.perf_counter() - began:.0f} s in all")
        finished(process("--plan", 0, given))
        (one,) = finished(process("--work", int(profile), given))
        failed = check(name, "one worker", sink, count, [one])
        letters, seconds = ask(sink)["letters"], bare(sink, folder)
        more = one["seconds"] / one["sent"] - seconds / letters
        say(name, f"bare smtplib, the same bytes: {letters / seconds:,.0f} a second ({letters:,} letters)")
        say(name, f"one worker takes {more * 1000:.1f} ms more a letter than the bare loop")
        ask(sink, "RESET")
        finished(process("--plan", 14, given))
        two = finished(*(process("--work", 0, given) for _n in range(2)))
        return failed + check(name, "two workers", sink, count, two)


def check(name: str, who: str, sink: int, count: int, done: list[dict[str, Any]]) -> int:
    """What the workers say they sent beside what the server has."""
    has, sent = ask(sink), sum(one["sent"] for one in done)
    seconds = max(one["seconds"] for one in done)
    doubled, lost = has["letters"] - has["different"], count - has["different"]
    each = ", ".join(f"{one['sent'] / one['seconds']:,.0f}" for one in done)
    say(
        name, f"{who}: {sent:,} sent in {seconds:.1f} s, {sent / seconds:,.0f} a second ({each} per process; "
        f"{sum(one['cpu'] for one in done) / max(sent, 1) * 1000:.1f} ms of processor a letter); "
        f"{doubled} doubled, {lost} lost, {sum(one['other'] for one in done)} otherwise",
    )  # fmt: skip
    return abs(doubled) + abs(lost) + abs(count - sent)


def say(name: str, words: str) -> None:
    print(f"{name}: {words}", flush=True)


# The processes: each its own, so that none waits for another's interpreter.


def process(what: str, number: int, given: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, what, str(number)]
    return subprocess.Popen(command, env=os.environ | given, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves


def finished(*running: subprocess.Popen[str]) -> list[dict[str, Any]]:
    answers = [one.communicate()[0] for one in running]
    if any(one.returncode for one in running):
        sys.exit("a process of the bench ended early: see above")
    return [json.loads(answer.splitlines()[-1]) for answer in answers]


def set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "arledger.settings"
    import django

    django.setup()


def fill(count: int) -> None:
    """A company whose every client owes one invoice that was due yesterday."""
    set_up()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from clients.models import Client, Contact
    from core.models import PaymentMethod
    from invoices.documents import freeze
    from invoices.models import Invoice
    from policies.founding import found_company

    made_up = {
        "code": "bench", "name": "Bench", "legal_name": "Bench GmbH", "street": "Am Markt 1", "postal_code": "10115",
        "city": "Berlin", "country": "DE", "time_zone": "UTC", "currency": "EUR", "email": "billing@bench.test",
    }  # fmt: skip
    bank = {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
    company = found_company(made_up, bank, net_days=30, late_percent=Decimal(8), by="bench")
    PaymentMethod.objects.get_or_create(company=company, kind="transfer")
    terms = company.terms.get()
    clients = Client.objects.bulk_create([
        Client(company=company, number=f"C-{n:06}", name=f"Client {n}", country="DE", time_zone="UTC", currency="EUR",
               language=("en", "de", "fr")[n % 3], terms=terms) for n in range(count)
    ], batch_size=500)  # fmt: skip
    Contact.objects.bulk_create([
        Contact(client=client, name="Accounts", email=f"ap{client.pk}@client.test") for client in clients
    ], batch_size=500)  # fmt: skip
    example = Invoice(
        company=company, client=clients[0], number="B-1", currency="EUR", terms=terms, terms_days=30,
        issued_on=LATE - 31 * DAY, due_on=LATE - DAY, late_percent=Decimal(8), total=Decimal(100), net=Decimal(100),
    )  # fmt: skip
    frozen = freeze(example)
    Invoice.objects.bulk_create([
        Invoice(frozen=frozen, company=company, client=client, number=f"B-{client.pk}", currency="EUR", terms=terms,
                terms_days=30, issued_on=LATE - 31 * DAY, due_on=LATE - DAY, issued_at=NOON - 31 * DAY,
                late_percent=Decimal(8), net=Decimal(100 + client.pk % 900), total=Decimal(100 + client.pk % 900),
                balance=Decimal(100 + client.pk % 900)) for client in clients
    ], batch_size=500)  # fmt: skip
    print("{}")


def plan_for(later: int) -> None:
    """The reminders of the day, so many days later, as the night plans them; nobody has to release them."""
    set_up()
    from ar_collections.services.planning import plan
    from core.models import Company

    done = plan(Company.objects.get(), LATE + later * DAY, by="bench", now=NOON + later * DAY, hold_allowed=False)
    print(json.dumps({"planned": len(done.planned)}))


def work(profile: bool) -> None:
    """Drain the outbox as a worker does, until nothing waits."""
    set_up()
    from outbox.models import Message
    from outbox.services import deliver

    now = Message.objects.filter(state="pending").latest("not_before").not_before
    now = max(now, datetime.combine(now.date(), NOON.time(), tzinfo=UTC))
    counts: Counter[str] = Counter()
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    began, used = time.perf_counter(), time.process_time()
    while sum((done := Counter(deliver(now))).values()):
        counts += done
    answer = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used, "sent": counts["sent"]}
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumtime").print_stats(60)
    print(json.dumps(answer | {"other": sum(counts.values()) - counts["sent"]}))


# The mail server, and the bare loop that it is measured with.


@contextmanager
def a_sink(folder: Path) -> Iterator[int]:
    """A mail server in a process of its own; its port."""
    kept = folder / "letters"
    command = [sys.executable, __file__, "--sink", str(kept)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.terminate()
        server.wait(10)


def bare(port: int, folder: Path) -> float:
    """Seconds that smtplib alone takes for the letters the server kept."""
    letters = []
    with (folder / "letters").open("rb") as kept:
        while size := kept.read(4):
            letters.append(kept.read(struct.unpack(">I", size)[0]))
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.docmd("XKEEP off")
        began = time.perf_counter()
        for n, letter in enumerate(letters):
            smtp.sendmail("ar@bench.test", [f"ap{n}@client.test"], letter)
        return time.perf_counter() - began


def ask(port: int, what: str = "REPORT") -> dict[str, Any]:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        _code, said = smtp.docmd(f"X{what}")
    found: dict[str, Any] = json.loads(said)
    return found


class Sink:
    """Takes letters and counts them by their Message-ID; writes their bytes down while it is told to."""

    def __init__(self, kept: Path) -> None:
        self.ids: Counter[bytes] = Counter()
        self.file = kept.open("wb")
        self.keeps = True

    async def serve(self) -> None:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, limit=1 << 25)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 bench\r\n")
        while line := await reader.readline():
            verb = line[:5].strip().upper()
            if verb == b"EHLO":
                writer.write(b"250-bench\r\n250 SIZE 50000000\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self.take((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                writer.write(b"250 queued\r\n")
            elif verb.startswith(b"X"):
                writer.write(b"250 " + self.told(line.decode().strip()) + b"\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()

    def take(self, letter: bytes) -> None:
        at = letter.lower().find(b"message-id:")
        if self.keeps:
            self.ids[letter[at : letter.find(b"\r\n", at)]] += 1
            self.file.write(struct.pack(">I", len(letter)) + letter)

    def told(self, what: str) -> bytes:
        self.file.flush()
        if what == "XRESET":
            self.ids.clear()
            self.keeps = True
        if what.startswith("XKEEP"):
            self.keeps = what.endswith("on")
        return json.dumps({"letters": sum(self.ids.values()), "different": len(self.ids)}).encode()


if __name__ == "__main__":
    told = sys.argv[1] if len(sys.argv) > 1 else ""
    if told == "--sink":
        asyncio.run(Sink(Path(sys.argv[2])).serve())
    elif told in ("--fill", "--plan", "--work"):
        {"--fill": fill, "--plan": plan_for, "--work": lambda n: work(bool(n))}[told](int(sys.argv[2]))
    else:
        sys.exit(main())
