"""How long it takes to say what clients owe, on PostgreSQL with a million invoices: `python bench/exposure.py`.

The exposure of one client, and the clients page of 50 through the whole stack, each beside the raw SQL that answers the
same, written to win, in the same run on the same rows. BENCH_DATABASE_URL names a database that is empty, or was filled
by an earlier run; without it a server of our own is started for the run.
The book: 50,000 clients with a limit each, 1,000,000 invoices of which one in ten is open, paid in the order they came,
with every entry of the ledger; 20,000 pieces of work and 5,000 drafts wait. Only the lines of invoices are left out:
neither question reads them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
INVOICES, CLIENTS, WORKS, DRAFTS = 1_000_000, 50_000, 20_000, 5_000
ROUNDS = 15
TIMES, PAGE = 1.5, 0.030  # the limit: so many times the raw query, and seconds for the page's template
TODAY = date(2026, 11, 18)

# The exposure of one client in its own currency: every component, whether drafts count, and the sum of it.
RAW_EXPOSURE = """
SELECT not_due, overdue, charges, work, drafted, unapplied, kept,
       not_due + overdue + charges + work + kept - unapplied + CASE WHEN counts THEN drafted ELSE 0 END
FROM (
  SELECT coalesce(sum(balance) FILTER (WHERE due_on >= %(on)s), 0) AS not_due,
         coalesce(sum(balance) FILTER (WHERE due_on < %(on)s), 0) AS overdue,
         coalesce(sum(greatest(total - coalesce((
           SELECT sum(gross) FROM invoices_completedwork w WHERE invoice_id = i.id AND removed_at IS NULL), 0), 0))
           FILTER (WHERE issued_at IS NULL AND NOT EXISTS (
             SELECT 1 FROM invoices_proforma f WHERE f.invoice_id = i.id AND f.cancelled_at IS NULL)), 0) AS drafted
  FROM invoices_invoice i
  WHERE client_id = %(client)s AND currency = %(currency)s AND voided_at IS NULL
    AND (balance > 0 OR issued_at IS NULL)) AS owed, (
  SELECT coalesce((SELECT sum(balance) FROM invoices_charge
                   WHERE client_id = %(client)s AND currency = %(currency)s AND balance > 0), 0) AS charges,
         coalesce((SELECT sum(gross) FROM invoices_completedwork w LEFT JOIN invoices_invoice d ON d.id = w.invoice_id
                   WHERE w.client_id = %(client)s AND w.currency = %(currency)s AND w.removed_at IS NULL
                     AND d.issued_at IS NULL), 0) AS work,
         coalesce((SELECT sum(CASE WHEN cr = 'customer_credit' THEN amount ELSE -amount END) FROM invoices_entry
                   WHERE client_id = %(client)s AND currency = %(currency)s
                     AND (dr = 'customer_credit' OR cr = 'customer_credit')), 0) AS unapplied,
         coalesce((SELECT sum(p.amount) FROM payments_payment p JOIN invoices_proforma f ON f.id = p.pro_forma_id
                   JOIN invoices_invoice d ON d.id = f.invoice_id
                   WHERE p.client_id = %(client)s AND p.currency = %(currency)s AND d.issued_at IS NULL
                     AND f.cancelled_at IS NULL AND NOT EXISTS (
                       SELECT 1 FROM invoices_entry r WHERE r.key = 'reversal:payment:' || p.key)), 0) AS kept,
         coalesce((SELECT counts_drafts FROM policies_creditpolicy WHERE company_id = %(company)s
                   AND effective_from <= %(on)s ORDER BY effective_from DESC LIMIT 1), false) AS counts) AS beside
"""

# The page: the first fifty by name with what they owe, how late, the stage, the limit and what is used of it.
RAW_PAGE = """
WITH page AS (
  SELECT c.id, c.number, c.name, c.city, c.country, c.currency, t.name AS terms
  FROM clients_client c LEFT JOIN policies_terms t ON t.id = c.terms_id
  WHERE c.company_id = %(company)s ORDER BY c.name, c.id LIMIT 50),
ids AS (SELECT array_agg(id) AS ids FROM page),
owed AS (
  SELECT client_id, currency, sum(balance) FILTER (WHERE due_on >= %(on)s) AS not_due,
         sum(balance) FILTER (WHERE due_on < %(on)s) AS overdue, min(due_on) FILTER (WHERE due_on < %(on)s) AS oldest
  FROM invoices_invoice WHERE client_id = ANY (ARRAY(SELECT id FROM page)) AND balance > 0 AND voided_at IS NULL
  GROUP BY 1, 2),
cash AS (
  SELECT client_id, currency, sum(CASE WHEN cr = 'customer_credit' THEN amount ELSE -amount END) AS unapplied
  FROM invoices_entry WHERE client_id = ANY (ARRAY(SELECT id FROM page)) AND 'customer_credit' IN (dr, cr)
  GROUP BY 1, 2),
work AS (
  SELECT client_id, currency, sum(gross) AS work FROM invoices_completedwork
  WHERE client_id = ANY (ARRAY(SELECT id FROM page)) AND invoice_id IS NULL AND removed_at IS NULL GROUP BY 1, 2),
charged AS (
  SELECT client_id, currency, sum(balance) AS charges FROM invoices_charge
  WHERE client_id = ANY (ARRAY(SELECT id FROM page)) AND balance > 0 GROUP BY 1, 2),
limits AS (
  SELECT DISTINCT ON (client_id, currency) client_id, currency, amount FROM clients_creditlimit
  WHERE client_id = ANY (ARRAY(SELECT id FROM page)) AND effective_on <= %(on)s
  ORDER BY client_id, currency, effective_on DESC, id DESC),
statuses AS (
  SELECT DISTINCT ON (client_id) client_id, status FROM clients_statuschange
  WHERE client_id = ANY (ARRAY(SELECT id FROM page)) AND effective_on <= %(on)s
    AND (ends_on IS NULL OR ends_on >= %(on)s)
  ORDER BY client_id, effective_on DESC, id DESC),
stages AS (
  SELECT DISTINCT ON (client_id) client_id, stage_to FROM collections_stagechange
  WHERE client_id = ANY (ARRAY(SELECT id FROM page)) ORDER BY client_id, id DESC)
SELECT page.*, o.not_due, o.overdue, o.oldest, k.unapplied, w.work, x.charges, l.amount, s.status, g.stage_to
FROM page LEFT JOIN owed o ON o.client_id = page.id AND o.currency = page.currency
LEFT JOIN cash k ON k.client_id = page.id AND k.currency = page.currency
LEFT JOIN work w ON w.client_id = page.id AND w.currency = page.currency
LEFT JOIN charged x ON x.client_id = page.id AND x.currency = page.currency
LEFT JOIN limits l ON l.client_id = page.id AND l.currency = page.currency
LEFT JOIN statuses s ON s.client_id = page.id LEFT JOIN stages g ON g.client_id = page.id
ORDER BY page.name, page.id
"""
RAW_COUNTS = """
SELECT count(*), count(*) FILTER (WHERE k.client_id IS NULL) FROM clients_client c
LEFT JOIN (SELECT DISTINCT client_id FROM clients_contact
           WHERE is_active AND bounced_at IS NULL AND email <> '') k ON k.client_id = c.id
WHERE c.company_id = %(company)s
"""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="arledger-bench-") as folder, a_database(Path(folder)) as url:
        os.environ |= {"DATABASE_URL": url, "DATA_DIR": folder, "ENV_FILE": os.devnull, "ALLOWED_HOSTS": "testserver"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "arledger.settings"
        import django

        django.setup()
        from django.core.management import call_command

        began = time.perf_counter()
        call_command("migrate", verbosity=0)
        from core.models import Company

        company = Company.objects.filter(code="bench").first() or fill()
        print(
            f"{INVOICES:,} invoices, {CLIENTS:,} clients, {rows_of('invoices_entry'):,} entries "
            f"after {time.perf_counter() - began:.0f} s", flush=True,
        )  # fmt: skip
        return measure_exposure() + measure_page(company)


def measure_exposure() -> int:
    """The exposure of one client after the other, each asked both ways; both must say the same."""
    from django.db import connection

    from clients.models import Client
    from invoices.services.exposure import exposure_of

    asked = [Client.objects.get(number=f"C-{n:06}") for n in range(17, CLIENTS, CLIENTS // 40)]
    raw: list[float] = []
    ours: list[float] = []
    for _ in range(ROUNDS):
        for client in asked:
            asked_for = {"client": client.pk, "currency": client.currency, "company": client.company_id, "on": TODAY}
            row, seconds = timed(lambda: sql(RAW_EXPOSURE, **asked_for)[0])  # noqa: B023
            raw.append(seconds)
            said, seconds = timed(lambda: exposure_of(client, client.currency, TODAY))  # noqa: B023
            ours.append(seconds)
            assert int(said.total * 10_000) == row[-1], (client, said, row)
    connection.close()
    return verdict("exposure of one client", ours, raw, TIMES * statistics.median(raw))


def measure_page(company: Any) -> int:
    """The list of clients as a browser gets it, beside the queries it cannot do without."""
    from django.contrib.auth.models import User
    from django.test import Client as Browser

    staff = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    browser = Browser()
    browser.force_login(staff)
    raw: list[float] = []
    ours: list[float] = []
    for n in range(ROUNDS + 2):
        rows, seconds = timed(
            lambda: (sql(RAW_PAGE, company=company.pk, on=TODAY), sql(RAW_COUNTS, company=company.pk))
        )
        answer, whole = timed(lambda: browser.get("/clients/"))
        assert answer.status_code == 200 and answer.content.count(b"data-row") == len(rows[0]) == 50
        assert all(row[2].encode() in answer.content for row in rows[0])
        if n >= 2:  # the first pages compile templates
            raw.append(seconds)
            ours.append(whole)
    return verdict("clients page of 50", ours, raw, TIMES * statistics.median(raw) + PAGE)


def verdict(what: str, ours: list[float], raw: list[float], limit: float) -> int:
    middle = statistics.median(ours)
    print(
        f"{what}: {middle * 1000:.1f} ms (raw {statistics.median(raw) * 1000:.1f} ms, limit {limit * 1000:.1f} ms) "
        f"{'ok' if middle <= limit else 'TOO SLOW'}", flush=True,
    )  # fmt: skip
    return int(middle > limit)


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return act(), time.perf_counter() - began


def sql(query: str, **facts: Any) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query, facts)
        return cursor.fetchall() if cursor.description else []


def rows_of(table: str) -> int:
    return int(sql(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - our own table


def fill() -> Any:
    """The book, written by the database itself: guards and indexes wait until the rows are there."""
    from clients.models import Client, Contact
    from invoices.models import Entry, Invoice
    from payments.models import Allocation, Payment
    from policies.founding import found_company

    made_up = {
        "code": "bench", "name": "Bench", "legal_name": "Bench GmbH", "street": "Am Markt 1", "postal_code": "10115",
        "city": "Berlin", "country": "DE", "time_zone": "Europe/Berlin", "currency": "EUR",
        "email": "billing@bench.example",
    }  # fmt: skip
    bank = {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
    company = found_company(made_up, bank, net_days=30, late_percent=0, by="bench")  # type: ignore[arg-type]
    sql("SET session_replication_role = replica")
    with indexes_later(Client, Contact, Invoice, Entry, Payment, Allocation):
        write(company)
    sql("SET session_replication_role = origin")
    sql("VACUUM ANALYZE")
    return company


def write(company: Any) -> None:
    """Every row, by number: the n-th invoice is the client's with the number n modulo the clients."""
    from clients.models import Client, Contact, CreditLimit
    from invoices.models import CompletedWork, Entry, Invoice
    from payments.models import Allocation, Payment

    terms = str(company.terms.get().pk)
    of = {"company_id": str(company.pk), "currency": "'EUR'"}
    client, per = f"1 + n %% {CLIENTS}", INVOICES // CLIENTS
    day = f"date '{TODAY}' - 20 * ({per} - n / {CLIENTS}) - n %% 17"  # twenty invoices, one about every twenty days
    amount, is_open = "10000 * (50 + n %% 997)", f"n / {CLIENTS} >= {per - 2}"
    load(Client, CLIENTS, id="n + 1", number="'C-' || lpad(n::text, 6, '0')", country="'DE'", city="'Berlin'",
         name="'Client ' || md5(n::text)", terms_id=terms, language="'en'", **of)  # fmt: skip
    load(Contact, CLIENTS, client_id="n + 1", name="'Accounts'", role="'accounts_payable'",
         email="'ap' || n || '@client.example'")  # fmt: skip
    load(CreditLimit, CLIENTS, client_id="n + 1", amount="100000000", effective_on="date '2020-01-01'",
         source="'policy'", because="'start'", set_by="'bench'", currency="'EUR'")  # fmt: skip
    load(Invoice, INVOICES, id="n + 1", client_id=client, number="'B-' || n", issued_on=day, due_on=f"{day} + 30",
         issued_at="now()", terms_days="30", net=amount, total=amount, terms_id=terms,
         balance=f"CASE WHEN {is_open} THEN {amount} ELSE 0 END", **of)  # fmt: skip
    load(Invoice, DRAFTS, id=f"{INVOICES} + n + 1", client_id=client, net=amount, total=amount, **of)
    paid = {"client_id": client, "amount": amount, "memo": "''", "posted_at": "now()", "posted_by": "'bench'", **of}
    settled = f"NOT ({is_open})"
    load(Entry, INVOICES, id="n + 1", key="'i' || n", doc="'invoice:' || n + 1", kind="'issue'",
         dr="'receivable'", cr="'revenue'", effective_on=day, invoice_id="n + 1", **paid)  # fmt: skip
    put = {"doc": "'payment:' || n + 1", "effective_on": f"{day} + 28", **paid}
    load(Entry, INVOICES, settled, id=f"{INVOICES} + n + 1", key="'p' || n", kind="'payment'", dr="'bank'",
         cr="'customer_credit'", **put)  # fmt: skip
    load(Entry, INVOICES, settled, id=f"2 * {INVOICES} + n + 1", key="'a' || n", kind="'allocation'",
         dr="'customer_credit'", cr="'receivable'", invoice_id="n + 1", **put)  # fmt: skip
    load(Payment, INVOICES, settled, id="n + 1", key="'p' || n", client_id=client, amount=amount,
         received_on=f"{day} + 28", method="'transfer'", recorded_by="'bench'", **of)  # fmt: skip
    load(Allocation, INVOICES, settled, payment_id="n + 1", invoice_id="n + 1", entry_id=f"2 * {INVOICES} + n + 1",
         amount=amount, allocated_on=f"{day} + 28")  # fmt: skip
    load(CompletedWork, WORKS, key="'w' || n", client_id="1 + n * 2", description="'work'", unit_price="100",
         net="1000000", gross="1190000", done_on=day, recorded_by="'bench'", **of)  # fmt: skip


@contextmanager
def indexes_later(*models: Any) -> Iterator[None]:
    """While many rows go in, the indexes that guard nothing are away."""
    tables = [model._meta.db_table for model in models]
    away = sql(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class t "
        "ON t.oid = i.indrelid WHERE t.relname = ANY (%(tables)s) "
        "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)", tables=tables,
    )  # fmt: skip
    for name, _definition in away:
        sql(f"DROP INDEX {name}")
    yield
    for _name, definition in away:
        sql(definition)


def load(model: Any, rows: int, only: str = "true", **given: str) -> None:
    """So many rows of a model, n counting from 0; what is not given is the field's own default."""
    table, columns, values, defaults = model._meta.db_table, [], [], []
    from django.db import connection

    for field in model._meta.concrete_fields:
        if field.column in given:
            values.append(given[field.column])
        elif getattr(field, "auto_now_add", False):
            values.append("now()")
        elif field.primary_key or field.null:
            continue
        else:
            values.append("%s")
            defaults.append(field.get_db_prep_save(field.get_default(), connection))
        columns.append(f'"{field.column}"')
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - our own columns
            f"SELECT {', '.join(values)} FROM generate_series(0, {rows - 1}) AS n WHERE {only}".replace(
                "%%", "%%" if defaults else "%"
            ),
            defaults or None,
        )
    sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608


@contextmanager
def a_database(folder: Path) -> Iterator[str]:
    """The database that BENCH_DATABASE_URL names, or one on a server of our own that ends with the run."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        yield url
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    program = str(found[-1]) if found else shutil.which("postgres")
    if program is None:
        sys.exit("PostgreSQL is not installed: install it, or name an empty database in BENCH_DATABASE_URL.")
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        folder.chmod(0o755)
    home = folder / "postgresql"
    home.mkdir()
    if as_user:
        shutil.chown(home, "nobody", "nogroup")
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    password, words = secrets.token_hex(16), home / "password"
    words.write_text(password)
    words.chmod(0o644)
    begin = [str(Path(program).with_name("initdb")), "-D", str(home / "data"), "-U", "arledger", "-A", "scram-sha-256",
             "--pwfile", str(words), "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]  # fmt: skip
    subprocess.run(begin, check=True, capture_output=True, cwd=home, **as_user)  # noqa: S603 - the server's own program
    setpriv = shutil.which("setpriv")
    until_we_end = [setpriv, "--pdeathsig", "INT"] if setpriv else []
    serve = [*until_we_end, program, "-D", str(home / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(home),
             "-c", "fsync=off", "-c", "shared_buffers=1GB", "-c", "max_wal_size=8GB",
             "-c", "maintenance_work_mem=512MB", "-c", "random_page_cost=1.1"]  # fmt: skip
    with (home / "log").open("w") as log:
        server = subprocess.Popen(serve, cwd=home, stdout=log, stderr=log, **as_user)  # noqa: S603 - as above
    try:
        for _ in range(300):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"postgres://arledger:{password}@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # whoever is still connected is cut off
        server.wait(60)


if __name__ == "__main__":
    sys.exit(main())
