"""How long it takes to take over two real books, each beside its limit: `.venv/bin/python bench/import.py`.

Each book goes into an empty SQLite database of its own, by the command a person would type, twice; the second time
must change nothing. A book that is not here is replaced by a made-up one of the same size, and the line says so.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BOOKS = ROOT.parent / "shared" / "data" / "ar"


class Book(NamedTuple):
    """A file, how it is read, and how long that may take."""

    name: str
    rows: int
    clients: int
    limit: float  # seconds, on SQLite
    mapping: str
    options: tuple[str, ...]


LIST = (
    Book(
        "ibm_ar.csv", 2466, 100, 20.0,
        "number=invoiceNumber,client=customerID,issued_on=InvoiceDate,due_on=DueDate,total=InvoiceAmount,settled_on=SettledDate",
        ("--date-format", "%m/%d/%Y"),
    ),
    Book(
        "highradius_open.csv", 9681, 694, 60.0,
        "number=doc_id,client=cust_number,client_name=name_customer,issued_on=posting_date,due_on=due_in_date,total=converted_usd",
        ("--date-format", "%Y-%m-%d 00:00:00.000000000", "--round", "half-up"),
    ),
)  # fmt: skip


def main() -> int:
    slow = 0
    for book in LIST:
        with tempfile.TemporaryDirectory(prefix="arledger-bench-") as folder:
            slow += measure(book, Path(folder))
    return slow


def measure(book: Book, folder: Path) -> int:
    """Take one book over and print the seconds beside the limit; 1 where it took longer."""
    file, made_up = BOOKS / book.name, ""
    if not file.exists():
        file, made_up = folder / book.name, " (made up, the real one is not here)"
        file.write_text(likeness(book))
    environment = dict(os.environ, DATA_DIR=str(folder), DATABASE_URL="", ENV_FILE=os.devnull)

    def run(*arguments: str) -> tuple[float, str]:
        began = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{book.name}: {done.stderr}{done.stdout}")
        return time.perf_counter() - began, done.stdout

    run("migrate", "-v0")
    take = ("import_open_items", str(file), "--map", book.mapping, *book.options, "--currency", "USD", "--json")
    first, answer = run(*take)
    told = json.loads(answer)
    assert (told["created"], told["clients_created"]) == (book.rows, book.clients), told
    again, answer = run(*take)
    told = json.loads(answer)
    assert (told["created"], told["unchanged"]) == (0, book.rows), told
    checked, _ = run("check_ledger")
    verdict = "ok" if first <= book.limit else "TOO SLOW"
    print(
        f"{book.name}{made_up}: {book.rows:,} items in {first:.1f} s (limit {book.limit:.0f} s) {verdict}; "
        f"again, unchanged, in {again:.1f} s; check_ledger {checked:.1f} s",
        flush=True,
    )
    return int(first > book.limit)


def likeness(book: Book) -> str:
    """A made-up book with the headings, the size and the dates of the real one."""
    made_up = random.Random(book.rows)  # noqa: S311 - nothing secret
    columns = [pair.partition("=")[2] for pair in book.mapping.split(",")]
    keys = [pair.partition("=")[0] for pair in book.mapping.split(",")]
    fmt = book.options[1]
    lines = [",".join(columns)]
    for n in range(book.rows):
        issued = date(2012, 1, 3) + timedelta(days=made_up.randrange(700))
        cells = {
            "number": f"{n:010}", "client": f"{n % book.clients:06}", "client_name": f"Client {n % book.clients}",
            "issued_on": issued.strftime(fmt), "due_on": (issued + timedelta(days=30)).strftime(fmt),
            "total": f"{made_up.randrange(100, 900_000) / 100:.2f}",
            "settled_on": (issued + timedelta(days=made_up.randrange(60))).strftime(fmt),
        }  # fmt: skip
        lines.append(",".join(cells[key] for key in keys))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
