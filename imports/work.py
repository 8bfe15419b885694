"""The imports as jobs of the worker: the file as stored, the mapping as confirmed in the browser."""

from __future__ import annotations

import datetime as dt
from typing import Any

from core.csvfile import lines
from core.jobs import Progress, register
from core.models import Company
from core.services import read_file, store_file, today
from imports.cells import Reading
from imports.services import clients, open_items, work
from imports.services.answers import Answer, FileRefused, refused_rows
from imports.sheet import read_sheet

KEPT = 500  # errors and warnings kept in the row of the job


def register_works() -> None:
    register("import_open_items", take_open_items)
    register("import_clients", take_clients)
    register("import_work", take_work)


def take_open_items(arguments: dict[str, Any], by: Any, progress: Progress) -> dict[str, Any]:
    """Arguments: file (SHA-256), source, reading (the fields of Reading), company, and those of Taking."""
    begins = arguments.get("interest_from")
    taking = open_items.Taking(
        reading=Reading(**arguments["reading"]), source=arguments.get("source", ""),
        company=arguments.get("company", ""), interest_from=dt.date.fromisoformat(begins) if begins else None,
        skip_bad=arguments.get("skip_bad", False), dry_run=arguments.get("dry_run", False),
        in_spite=arguments.get("in_spite", ""),
    )
    on = today(_company(taking.company))
    try:
        content = read_file(arguments["file"])
        answer = open_items.import_open_items(content, taking, on=on, by=by, progress=progress)
        return _short(open_items.as_json(answer), content, answer)
    except FileRefused as refused:
        return _refused(open_items.as_json(refused.answer), content, refused)


def take_clients(arguments: dict[str, Any], by: Any, progress: Progress) -> dict[str, Any]:
    """Arguments: file (SHA-256), reading (the fields of Reading), company, skip_bad, dry_run."""
    enrolment = clients.Enrolment(
        reading=Reading(**arguments["reading"]), company=arguments.get("company", ""),
        skip_bad=arguments.get("skip_bad", False), dry_run=arguments.get("dry_run", False),
    )
    try:
        content = read_file(arguments["file"])
        on = today(_company(enrolment.company))
        answer = clients.import_clients(content, enrolment, on=on, by=by, progress=progress)
        return _short(clients.as_json(answer), content, answer)
    except FileRefused as refused:
        return _refused(clients.as_json(refused.answer), content, refused)


def take_work(arguments: dict[str, Any], by: Any, progress: Progress) -> dict[str, Any]:
    """Arguments: file (SHA-256), reading (the fields of Reading), company, skip_bad, dry_run."""
    worked = work.Worked(
        reading=Reading(**arguments["reading"]), company=arguments.get("company", ""),
        skip_bad=arguments.get("skip_bad", False), dry_run=arguments.get("dry_run", False),
    )
    try:
        content = read_file(arguments["file"])
        answer = work.import_work(content, worked, on=today(_company(worked.company)), by=by, progress=progress)
        return _short(work.as_json(answer), content, answer)
    except FileRefused as refused:
        return _refused(work.as_json(refused.answer), content, refused)


def _company(code: str) -> Company | None:
    named = Company.objects.filter(code__iexact=code) if code else Company.objects.order_by("pk")
    return named.first()


def _refused(told: dict[str, Any], content: bytes, refused: FileRefused) -> dict[str, Any]:
    error = {"code": refused.code, "message": refused.message, "where": refused.where}
    return _short(told, content, refused.answer) | {"error": error, "sentences": refused.answer.sentences}


def _short(told: dict[str, Any], content: bytes, answer: Answer) -> dict[str, Any]:
    """The answer with no more troubles than a page shows, how many there were, and the refused rows as a file."""
    for kind in ("errors", "warnings"):
        told[f"{kind}_in_all"] = len(told[kind])
        told[kind] = told[kind][:KEPT]
    if answer.errors:
        header, rows = refused_rows(read_sheet(content), answer)
        told["refused_file"] = store_file("".join(lines(header, rows)).encode(), "text/csv").sha256
    return told
