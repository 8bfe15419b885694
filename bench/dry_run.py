"""How long a dry run takes on PostgreSQL: `python bench/dry_run.py [OPEN] [DAYS]` (300,000 open items, 90 days).

A draft beside the version in force, so that every day is planned twice, over a book nobody has chased yet: the first
day brings the burst of all that is overdue, and everything then climbs the ladder. BENCH_DATABASE_URL names an empty
database; without it a server of our own is started for the run. The limit is three minutes at 300,000 open items.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]
OPEN, DAYS, PER_CLIENT = 300_000, 90, 6
LIMIT = 180.0  # seconds, at 300,000 open items and 90 days
TODAY = date(2026, 11, 18)


def main() -> int:
    from exposure import a_database

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    how_many = int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else OPEN
    days = int(sys.argv[2]) if len(sys.argv) > 2 else DAYS
    with tempfile.TemporaryDirectory(prefix="arledger-bench-") as folder, a_database(Path(folder)) as url:
        os.environ |= {"DATABASE_URL": url, "DATA_DIR": folder, "ENV_FILE": os.devnull}
        os.environ["DJANGO_SETTINGS_MODULE"] = "arledger.settings"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        began = time.perf_counter()
        fill(how_many)
        print(f"{how_many:,} open items of {how_many // PER_CLIENT:,} clients after {_since(began):.0f} s", flush=True)
        return measure(how_many, days)


def fill(how_many: int) -> None:
    """Clients with an address each, and items due from 60 days ago to 60 days ahead, evenly."""
    from django.db import connection

    from clients.models import Client, Contact
    from invoices.models import Invoice
    from tests.cast import make_company

    company = make_company("bench")
    terms = company.terms.get()
    clients = Client.objects.bulk_create(
        [
            Client(
                company=company, number=f"B-{n}", name=f"Client {n}", country="DE", currency="EUR", terms=terms,
                time_zone="Europe/Berlin",
            )
            for n in range(how_many // PER_CLIENT)
        ],
        batch_size=2000,
    )  # fmt: skip
    Contact.objects.bulk_create(
        [Contact(client=client, name="Accounts", email=f"ap{client.pk}@client.example") for client in clients],
        batch_size=2000,
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)

    def items(start: int) -> list[Invoice]:
        return [
            Invoice(
                company=company, client=clients[n % len(clients)], currency="EUR", number=f"B-{n}",
                issued_on=(due := TODAY + timedelta(days=n * 7919 % 121 - 60)) - timedelta(days=30), issued_at=at,
                due_on=due, terms_days=30, net=Decimal(100 + n % 900), total=Decimal(100 + n % 900),
                balance=Decimal(100 + n % 900), late_percent=Decimal(12), created_by="bench",
            )
            for n in range(start, min(start + 5000, how_many))
        ]  # fmt: skip

    for start in range(0, how_many, 5000):
        Invoice.objects.bulk_create(items(start), batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(how_many: int, days: int) -> int:
    from ar_collections.services.dry_run import Question, dry_run
    from policies.models import Policy
    from policies.services.drafts import begin_draft, save_draft

    draft = begin_draft(Policy.objects.get(name="standard"), "bench")
    steps = [step | ({"offset_days": 9} if step["code"] == "reminder_1" else {}) for step in draft.steps]
    save_draft(draft, values={}, steps=steps, version=draft.version, by="bench")
    began = time.perf_counter()

    def tell(done: int, total: int, what: str) -> None:
        if done % 15 == 0:
            print(f"  {done} of {total} {what} after {_since(began):.1f} s", file=sys.stderr, flush=True)

    told = dry_run(Question("standard", TODAY, days), progress=tell)
    seconds = _since(began)
    served = sum(step["invoices"] for side in (told, told["against_days"]) for step in side["per_step"].values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"dry run of {days} days over {how_many:,} open items, twice: {seconds:.1f} s, {served:,} steps served, "
        f"{told['differences']['count']:,} differences, {seconds / max(served, 1) * 1e6:.0f} us a step, "
        f"peak memory {peak:.0f} MB, {threading.active_count()} thread(s)"
    )
    print(f"first day: {told['first_day']['messages']:,} messages; interest {told['interest']}")
    too_slow = how_many >= OPEN and seconds > LIMIT
    print("too slow" if too_slow else f"limit {LIMIT:.0f} s at {OPEN:,} items")
    return int(too_slow)


def _since(began: float) -> float:
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
