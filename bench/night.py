"""How long a night takes: `python bench/night.py [--invoices N] [--rounds N] [--sqlite]`.

On PostgreSQL with a million invoices, 300,000 of them open, of 50,000 clients by four policies: a first night, on which
about 235,000 invoices reach a step; a steady night a day later; and the same night again. Beside each, in the same run
on the same rows, the raw SQL that decides and writes down the same, written to win: INSERT … SELECT with an anti-join,
in the order of ids and in windows of clients with their own commits. And what a row-by-row planner would take, from a
sample; and the peak of memory at a tenth of the book and at the whole. `--sqlite`: the planner alone on SQLite, at
100,000 open invoices. `--database URL` (or BENCH_DATABASE_URL) names an empty database; without it a server of our own
is started for the run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from exposure import a_database, sql, timed  # noqa: E402 - beside this file

ON = date(2026, 11, 18)  # a Wednesday
LIMIT, MEMORY_MB = 1.5, 250
SAMPLE = 500  # clients of the row-by-row way
POLICIES = ("standard", "gentle", "public", "large")
Rows = tuple[int, ...]  # steps served, steps passed over, messages, tasks

# The same decision as one statement per table, over a window of clients. What an invoice of an age, served so far up to
# a message, has reached is a small table of its own (up to the next mandatory notice); the rest is joins.
RAW_STEPS = """
CREATE TEMPORARY TABLE bench_steps AS
SELECT p.name AS policy, s.code, s.channel, s.offset_days, s.mandatory, s.spacing_exempt,
  coalesce(s.pay_within_days, 0) AS within, row_number() OVER (
    PARTITION BY p.name ORDER BY s.offset_days, s.id) AS place,
  CASE WHEN s.channel IN ('mail', 'letter') THEN 'message' ELSE s.channel END AS kind
FROM policies_step s JOIN policies_policy p ON p.id = s.policy_id WHERE s.repeats_every_days IS NULL
"""
RAW_REACHED = """
CREATE TEMPORARY TABLE bench_reached AS
SELECT told.policy, told.place AS told, age, s.kind, s.place, s.code, s.channel, s.spacing_exempt
FROM (SELECT policy, 0 AS place FROM bench_steps GROUP BY 1 UNION SELECT policy, place FROM bench_steps
      WHERE kind = 'message') AS told
CROSS JOIN LATERAL (SELECT coalesce(min(m.place), 99) AS place FROM bench_steps m
                    WHERE m.policy = told.policy AND m.mandatory AND m.place > told.place) AS notice
CROSS JOIN generate_series(-30, 120) AS age
CROSS JOIN LATERAL (
  SELECT DISTINCT ON (kind) * FROM bench_steps b
  WHERE b.policy = told.policy AND b.offset_days <= age AND (b.offset_days >= 0 OR age <= -2)
    AND b.place <= notice.place
  ORDER BY kind, place DESC) AS s
"""
RAW_OPEN = """
CREATE TEMPORARY TABLE open_items ON COMMIT DROP AS
SELECT i.id, i.client_id, i.balance, %(on)s::date - i.due_on AS age,
       coalesce(nullif(i.policy_name, ''), nullif(c.policy_name, ''), nullif(g.policy_name, ''), 'standard') AS policy
FROM invoices_invoice i JOIN clients_client c ON c.id = i.client_id
LEFT JOIN policies_segment g ON g.id = c.segment_id
WHERE i.company_id = %(company)s AND i.balance > 0 AND i.voided_at IS NULL AND i.issued_on <= %(on)s
  AND i.due_on <= %(on)s::date + 7 AND i.client_id > %(low)s AND i.client_id <= %(high)s
  AND NOT EXISTS (SELECT 1 FROM disputes_dispute x WHERE x.invoice_id = i.id AND x.closed_on IS NULL)
  AND NOT EXISTS (SELECT 1 FROM collections_promise p WHERE p.invoice_id = i.id AND p.pauses_until >= %(on)s)
  AND NOT EXISTS (SELECT 1 FROM collections_pause p WHERE p.client_id = i.client_id AND p.until_on >= %(on)s
                  AND (p.invoice_id IS NULL OR p.invoice_id = i.id))
  AND NOT EXISTS (SELECT 1 FROM invoices_extension e WHERE e.invoice_id = i.id AND e.until_on >= %(on)s
                  AND e.withdrawn_on IS NULL)
"""
RAW_DECIDED = """
CREATE TEMPORARY TABLE decided ON COMMIT DROP AS
WITH told AS MATERIALIZED (
  SELECT o.id, max(s.place) FILTER (WHERE s.kind = 'message') AS message,
         max(v."on" + s.within) FILTER (WHERE s.kind = 'message' AND v.outcome = 'served') AS asked_by,
         max(s.place) FILTER (WHERE s.kind = 'call') AS call, max(s.place) FILTER (WHERE s.kind = 'review') AS review
  FROM open_items o JOIN collections_served v ON v.invoice_id = o.id
  JOIN bench_steps s ON s.policy = o.policy AND s.code = v.step GROUP BY o.id
), stand AS MATERIALIZED (
  SELECT o.*, t.asked_by, coalesce(t.message, 0) AS message, coalesce(t.call, 0) AS call,
         coalesce(t.review, 0) AS review
  FROM open_items o LEFT JOIN told t ON t.id = o.id
)
SELECT o.id, o.client_id, o.balance, o.age, o.policy, r.place, r.code, r.channel, r.kind, r.spacing_exempt,
  CASE r.kind WHEN 'message' THEN o.message WHEN 'call' THEN o.call ELSE o.review END AS so_far
FROM stand o JOIN bench_reached r ON r.policy = o.policy AND r.told = o.message AND r.age = o.age
WHERE r.place > CASE r.kind WHEN 'message' THEN o.message WHEN 'call' THEN o.call ELSE o.review END
  AND (r.kind = 'call' OR o.asked_by IS NULL OR o.asked_by <= %(on)s)
"""
RAW_MESSAGES = """
INSERT INTO outbox_message (key, kind, party, "on", payload, transport, held_for, from_name, reply_to, to_name, to_addr,
  cc_addr, subject, text, html, attachments, message_id, state, reason, attempts, not_before, reply, resolved_by,
  provider_id, delivery, delivery_said, created_at)
SELECT key, 'notice', 'client:' || client_id, %(on)s,
  jsonb_build_object('company', %(company)s, 'client', client_id, 'until', %(until)s, 'items', items)
    || CASE WHEN policy = 'standard' THEN '{}' ELSE jsonb_build_object('policy', policy) END,
  'mail', '', '', '', '', '', '', '', '', '', '[]',
  '<ar-' || left(encode(sha256(key::bytea), 'hex'), 32) || '@bench.example>', 'pending', '', 0, %(opens)s, '', '', '',
  '', '', now()
FROM (
  SELECT client_id, 'notice:' || client_id || ':' || %(day)s || ':mail' AS key, min(policy) AS policy,
         jsonb_agg(jsonb_build_array(id, code, 1) ORDER BY age DESC, id) AS items, bool_or(spacing_exempt) AS exempt
  FROM decided WHERE kind = 'message' GROUP BY client_id) AS d
WHERE EXISTS (SELECT 1 FROM clients_contact k WHERE k.client_id = d.client_id AND k.is_active AND k.bounced_at IS NULL
              AND k.email <> '')
  AND NOT EXISTS (SELECT 1 FROM outbox_message m WHERE m.party = 'client:' || d.client_id AND m.kind = 'notice'
                  AND m."on" = %(on)s)
  AND (exempt OR NOT EXISTS (
    SELECT 1 FROM outbox_message m WHERE m.party = 'client:' || d.client_id AND m.kind = 'notice'
      AND m."on" > %(on)s::date - 5 AND m.state NOT IN ('cancelled', 'failed') AND m.delivery <> 'bounced'))
  AND NOT EXISTS (SELECT 1 FROM invoices_entry e WHERE e.client_id = d.client_id AND 'customer_credit' IN (e.dr, e.cr)
                  GROUP BY e.currency HAVING sum(CASE WHEN e.cr = 'customer_credit' THEN amount ELSE -amount END) > 0)
ORDER BY client_id ON CONFLICT DO NOTHING
"""
RAW_TASKS = """
INSERT INTO collections_task (key, company_id, client_id, kind, because, detail, low_priority, due_on, opened_at,
  closed_by, closed_because)
SELECT kind || ':' || d.client_id || ':' || %(day)s, %(company)s, d.client_id, kind,
  count(*) || ' invoices reached the call step, the oldest ' || max(age) || ' days overdue', '',
  kind = 'call' AND min(o.overdue) < 2500000, %(on)s, now(), '', ''
FROM decided d JOIN (
  SELECT client_id, sum(balance) AS overdue FROM invoices_invoice
  WHERE client_id > %(low)s AND client_id <= %(high)s AND balance > 0 AND due_on < %(on)s GROUP BY 1) AS o
  ON o.client_id = d.client_id
WHERE kind <> 'message' AND NOT EXISTS (
  SELECT 1 FROM collections_task t WHERE t.client_id = d.client_id AND t.kind = d.kind AND t.closed_on IS NULL)
GROUP BY d.client_id, kind ORDER BY d.client_id ON CONFLICT DO NOTHING
"""
RAW_SERVED = """
INSERT INTO collections_served (invoice_id, step, part, cycle, channel, "on", outcome, because, message_id, task_id)
SELECT d.id, s.code, 1, 1, s.channel, %(on)s, CASE WHEN s.place = d.place THEN 'served' ELSE 'skipped' END,
  CASE WHEN s.place = d.place THEN '' ELSE d.code END, m.id, t.id
FROM decided d
LEFT JOIN outbox_message m ON d.kind = 'message' AND m.key = 'notice:' || d.client_id || ':' || %(day)s || ':mail'
LEFT JOIN collections_task t ON d.kind <> 'message' AND t.client_id = d.client_id AND t.kind = d.kind
  AND t.closed_on IS NULL
JOIN bench_steps s ON s.policy = d.policy AND s.kind = d.kind AND s.place > d.so_far AND s.place <= d.place
WHERE m.id IS NOT NULL OR t.id IS NOT NULL
ORDER BY d.id ON CONFLICT DO NOTHING
"""
RAW_PAID = """
UPDATE collections_task t SET closed_on = %(on)s, closed_by = 'system', closed_because = 'Paid'
WHERE company_id = %(company)s AND closed_on IS NULL AND kind IN ('call', 'review') AND NOT EXISTS (
  SELECT 1 FROM collections_served v JOIN invoices_invoice i ON i.id = v.invoice_id
  WHERE v.task_id = t.id AND i.balance > 0 AND i.voided_at IS NULL)
"""
RAW = (RAW_OPEN, "ANALYZE open_items", RAW_DECIDED, "ANALYZE decided", RAW_MESSAGES, RAW_TASKS, RAW_SERVED)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="")
    parser.add_argument("--sqlite", action="store_true", help="the planner alone, on SQLite")
    parser.add_argument("--memory", action="store_true", help="only plan one night and print the peak of memory")
    asked = parser.parse_args()
    if asked.database:
        os.environ["BENCH_DATABASE_URL"] = asked.database
    with tempfile.TemporaryDirectory(prefix="arledger-bench-") as folder, _database(asked, Path(folder)) as url:
        os.environ |= {"DATABASE_URL": url, "DATA_DIR": folder, "ENV_FILE": os.devnull, "ALLOWED_HOSTS": "testserver"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "arledger.settings"
        import django

        django.setup()
        return run(asked, url)


@contextmanager
def _database(asked: argparse.Namespace, folder: Path) -> Iterator[str]:
    if asked.sqlite:
        yield f"sqlite:///{folder / 'night.sqlite3'}"
        return
    with a_database(folder) as url:
        yield url


def run(asked: argparse.Namespace, url: str) -> int:
    from django.core.management import call_command

    from core.models import Company

    call_command("migrate", verbosity=0)
    if not asked.sqlite:
        sql("SET statement_timeout = 0")  # a raw statement over the whole book may take longer than a page's may
    if asked.memory:
        return peak_of_a_night()
    filled, seconds = timed(lambda: Company.objects.filter(code="bench").first() or fill(asked))
    print(f"{asked.invoices:,} invoices, {asked.invoices * 3 // 10:,} open, after {seconds:.0f} s", flush=True)
    if asked.sqlite:
        return nights_of("planner, SQLite", 1, lambda on: planned(filled, on), {}, {})
    clients = max(asked.invoices // 20, 1)
    shapes: dict[str, Callable[[date], Rows]] = {
        "raw, all at once": lambda on: raw(filled, on, clients, clients),
        "raw, windows of 2,000": lambda on: raw(filled, on, clients, 2000),
    }
    fastest: dict[str, float] = {}
    wrote: dict[str, Rows] = {}
    for name, act in shapes.items():
        took, wrote = three_nights(asked.rounds, act)
        for night, seconds in took.items():
            print(f"{name}, {night} night: {seconds:.2f} s", flush=True)
            fastest[night] = min(seconds, fastest.get(night, seconds))
    wrong = nights_of("planner", asked.rounds, lambda on: planned(filled, on), fastest, wrote)
    row_by_row(filled, clients)
    return wrong + memory(url, asked)


def nights_of(
    name: str, rounds: int, act: Callable[[date], Rows], fastest: dict[str, float], as_raw: dict[str, Rows]
) -> int:
    """The three nights of the planner, each beside the fastest raw shape; how many are too slow, or wrote otherwise."""
    wrong = 0
    took, wrote = three_nights(rounds, act)
    for night, seconds in took.items():
        beside = ""
        if fastest:
            times = seconds / fastest[night]
            wrong += times > LIMIT
            well = "ok" if times <= LIMIT else "TOO SLOW"
            beside = f" ({times:.2f} times the fastest raw shape, limit {LIMIT}) {well}"
        print(f"{name}, {night} night: {seconds:.2f} s{beside}", flush=True)
        if as_raw and wrote[night] != as_raw[night]:
            wrong += 1
            print(f"  NOT THE SAME ROWS: {wrote[night]}, raw {as_raw[night]}", flush=True)
    return wrong


def three_nights(rounds: int, act: Callable[[date], Rows]) -> tuple[dict[str, float], dict[str, Rows]]:
    """The first night, the one after it and that one again; each the median of the rounds, from an empty outbox."""
    took: dict[str, list[float]] = {"first": [], "steady": [], "again": []}
    wrote: dict[str, Rows] = {}
    for _ in range(rounds):
        empty()
        for night, on in (("first", ON), ("steady", ON + timedelta(days=1)), ("again", ON + timedelta(days=1))):
            wrote[night], seconds = timed(lambda: act(on))  # noqa: B023
            took[night].append(seconds)
            sent()
    for night, rows in wrote.items():
        told = zip(("served", "passed over", "messages", "tasks"), rows, strict=True)
        print(f"  {night} night: " + ", ".join(f"{n:,} {what}" for what, n in told), flush=True)
    return {night: statistics.median(seconds) for night, seconds in took.items()}, wrote


def planned(company: Any, on: date) -> Rows:
    """The planner, as a person's run of the day: nothing is held back."""
    from ar_collections.services.planning import plan

    plan(company, on, by="bench", hold_allowed=False)
    return rows_of_the_night(on)


def raw(company: Any, on: date, clients: int, window: int) -> Rows:
    """The same night by statements alone, in windows of clients with their own commits."""
    from django.db import transaction

    sql("DROP TABLE IF EXISTS bench_steps, bench_reached")
    sql(RAW_STEPS)
    sql(RAW_REACHED)
    sql("ANALYZE bench_steps")
    sql("ANALYZE bench_reached")
    first = sql("SELECT min(id) - 1 FROM clients_client WHERE company_id = %(company)s", company=company.pk)[0][0]
    for low in range(first, first + clients, window):
        facts = {"company": company.pk, "on": on, "day": on.isoformat(), "low": low, "high": low + window,
                 "opens": f"{on} 08:00+00", "until": f"{on + timedelta(days=1)}T00:00:00+01:00"}  # fmt: skip
        with transaction.atomic():
            for statement in RAW:
                sql(statement, **facts)
    sql(RAW_PAID, company=company.pk, on=on)
    return rows_of_the_night(on)


def rows_of_the_night(on: date) -> Rows:
    """What a night wrote down: steps served, steps passed over, messages, tasks."""
    found = sql(
        "SELECT (SELECT count(*) FROM collections_served WHERE \"on\" = %(on)s AND outcome = 'served'), "
        "(SELECT count(*) FROM collections_served WHERE \"on\" = %(on)s AND outcome = 'skipped'), "
        '(SELECT count(*) FROM outbox_message WHERE "on" = %(on)s), '
        "(SELECT count(*) FROM collections_task WHERE due_on = %(on)s)", on=on,
    )  # fmt: skip
    return tuple(found[0])


def row_by_row(company: Any, clients: int) -> None:
    """What a planner would take that asks for every client by itself; from a sample."""
    from ar_collections.services.business_days import openings
    from ar_collections.services.choosing import in_use
    from ar_collections.services.deciding import decide
    from clients.models import Client

    empty()
    policies = in_use(company, ON)
    places = openings(company, ON, policies, None)
    some = list(Client.objects.filter(company=company).order_by("pk").values_list("pk", flat=True)[:SAMPLE])
    _found, seconds = timed(lambda: [list(decide(company, ON, policies, places, [pk])) for pk in some])
    print(f"row by row, deciding alone: {seconds / len(some) * clients:.0f} s for all, from {len(some)} clients")


def memory(url: str, asked: argparse.Namespace) -> int:
    """The peak of a process that plans one first night, of a tenth of the book and of the whole."""
    from core.models import Company

    peaks = {}
    for code in ("tenth", "bench"):
        if Company.objects.filter(code=code).exists():
            empty()
            command = [sys.executable, __file__, "--memory", "--database", url]
            said = subprocess.run(  # noqa: S603 - ourselves
                command, env=os.environ | {"BENCH_COMPANY": code}, check=True, capture_output=True, text=True
            )
            peaks[code] = float(said.stdout.split(" MB")[0])
            print(f"peak memory, {code}: {peaks[code]:.0f} MB (limit {MEMORY_MB} MB)", flush=True)
    return int(max(peaks.values()) > MEMORY_MB)


def peak_of_a_night() -> int:
    import resource

    from core.models import Company

    planned(Company.objects.get(code=os.environ["BENCH_COMPANY"]), ON)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0


def empty() -> None:
    """Nothing planned and nothing served, as before the first night."""
    from django.db import connection

    if connection.vendor == "sqlite":
        for table in ("collections_served", "collections_task", "outbox_message"):
            sql(f"DELETE FROM {table}")  # noqa: S608 - our own tables
        return
    sql("SET session_replication_role = replica")
    for table in ("collections_served", "collections_task", "outbox_message"):
        sql(f"DELETE FROM {table}")  # noqa: S608 - our own tables
    sql("SET session_replication_role = origin")
    sql("VACUUM ANALYZE collections_served, collections_task, outbox_message")


def sent() -> None:
    """What was planned has left: what still waited would be planned afresh the next night."""
    sql("UPDATE outbox_message SET state = 'sent', handing_at = not_before, sent_at = not_before "
        "WHERE state = 'pending'")  # fmt: skip


def fill(asked: argparse.Namespace) -> Any:
    """Two companies, written by the database itself: the whole book, and one a tenth of it."""
    company = None
    for code, invoices in (("tenth", asked.invoices // 10), ("bench", asked.invoices)):
        company = found(code)
        (write_few if asked.sqlite else write)(company, invoices)
    if not asked.sqlite:
        sql("VACUUM ANALYZE")
    return company


def found(code: str) -> Any:
    """A company with four policies: its own, and three with the same ladder on other days."""
    from policies.founding import found_company
    from policies.models import Policy, Step
    from policies.services import COPIED, STEP_FIELDS

    made_up = {
        "code": code, "name": code, "legal_name": "Bench GmbH", "street": "Am Markt 1", "postal_code": "10115",
        "city": "Berlin", "country": "DE", "time_zone": "Europe/Berlin", "currency": "EUR",
        "email": "billing@bench.example",
    }  # fmt: skip
    bank = {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
    company = found_company(made_up, bank, net_days=30, late_percent=0, by="bench")  # type: ignore[arg-type]
    standard = Policy.objects.get(name=POLICIES[0])
    for n, name in enumerate(POLICIES[1:], 1):
        if not Policy.objects.filter(name=name).exists():
            values = {field: getattr(standard, field) for field in COPIED}
            policy = Policy.objects.create(name=name, effective_from=date(2000, 1, 1), **values)
            steps = [{field: getattr(step, field) for field in STEP_FIELDS} for step in standard.steps.all()]
            Step.objects.bulk_create(
                Step(policy=policy, **step | {"offset_days": step["offset_days"] + n * (step["offset_days"] > 0)})
                for step in steps
            )
    return company


def write(company: Any, invoices: int) -> None:
    """Every row by number: twenty invoices a client, three in ten of them open, from 23 days ahead to 60 days late."""
    from exposure import load

    from clients.models import Client, Contact
    from invoices.models import Invoice

    clients, terms = invoices // 20, str(company.terms.get().pk)
    base = int(sql("SELECT coalesce(max(id), 0) FROM clients_client")[0][0])
    first = int(sql("SELECT coalesce(max(id), 0) FROM invoices_invoice")[0][0])
    of = {"company_id": str(company.pk), "currency": "'EUR'"}
    sql("SET session_replication_role = replica")
    own = "CASE n %% 8 WHEN 5 THEN 'gentle' WHEN 6 THEN 'public' WHEN 7 THEN 'large' ELSE '' END"
    load(Client, clients, id=f"{base} + n + 1", number="'C-' || lpad(n::text, 6, '0')", country="'DE'", city="'Berlin'",
         name="'Client ' || n", terms_id=terms, language="'en'", policy_name=own, **of)  # fmt: skip
    load(Contact, clients, client_id=f"{base} + n + 1", name="'Accounts'", role="'accounts_payable'",
         email="'ap' || n || '@client.example'")  # fmt: skip
    late = f"(n / {clients} * 13 + n %% {clients} * 7) %% 84 - 23"
    amount, is_open = "10000 * (50 + n %% 997)", f"n < {invoices * 3 // 10}"
    due = f"date '{ON}' - ({late})"
    load(Invoice, invoices, id=f"{first} + n + 1", client_id=f"{base} + 1 + n %% {clients}",
         number=f"'{company.code}-' || n", issued_on=f"{due} - 30", due_on=due, issued_at="now()", terms_days="30",
         net=amount, total=amount, terms_id=terms,
         balance=f"CASE WHEN {is_open} THEN {amount} ELSE 0 END", **of)  # fmt: skip
    sql("SET session_replication_role = origin")


def write_few(company: Any, invoices: int) -> None:
    """The same on SQLite, which counts no series by itself: the open ones alone."""
    from django.utils import timezone

    from clients.models import Client, Contact
    from invoices.models import Invoice

    count, per, now = invoices * 3 // 10, 6, timezone.now()
    terms = company.terms.get()
    Client.objects.bulk_create(
        (
            Client(company=company, number=f"C-{n:06}", name=f"Client {n}", country="DE", city="Berlin", terms=terms,
                   currency="EUR", language="en", policy_name=(["", "", "", "", "", *POLICIES[1:]])[n % 8])
            for n in range(count // per)
        ), batch_size=500,
    )  # fmt: skip
    clients = list(Client.objects.filter(company=company).order_by("pk"))
    Contact.objects.bulk_create(
        (Contact(client=c, name="Accounts", role="accounts_payable", email="ap@client.example") for c in clients),
        batch_size=500,
    )
    due = [ON - timedelta(days=n * 7 % 84 - 23) for n in range(84)]
    Invoice.objects.bulk_create(
        (
            Invoice(company=company, client=clients[n % len(clients)], currency="EUR", terms=terms, terms_days=30,
                    number=f"{company.code}-{n}", issued_on=due[n % 84] - timedelta(days=30), due_on=due[n % 84],
                    issued_at=now, net=50 + n % 997,
                    total=50 + n % 997, balance=50 + n % 997)
            for n in range(count)
        ), batch_size=500,
    )  # fmt: skip


if __name__ == "__main__":
    began = time.perf_counter()
    code = main()
    print(f"{time.perf_counter() - began:.0f} s in all")
    sys.exit(code)
