"""What an import answers, and how it says no; and the companies a file may speak of."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from core.errors import Refused
from core.models import Company
from core.money import plain
from imports.cells import Trouble
from imports.sheet import Sheet
from policies.founding import begin_company


@dataclass
class Answer:
    """What an import did, or would have done: counts, and every error and warning with its line."""

    rows: int = 0
    errors: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    per_currency: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def refused_lines(self) -> set[int]:
        return {trouble.line for trouble in self.errors}

    def wrong(self, line: int, column: str, value: str, message: str) -> None:
        self.errors.append(Trouble(line, column, value, message))

    def add(self, currency: str, amount: Decimal) -> None:
        count, total = self.per_currency.get(currency, (0, Decimal(0)))
        self.per_currency[currency] = (count + 1, total + amount)

    def as_json(self, names: Iterable[str]) -> dict[str, Any]:
        """The answer of the command; ``names`` are the counts it always carries."""
        answer: dict[str, Any] = {"rows": self.rows}
        answer |= {name: self.counts[name] for name in names}
        answer["refused"] = len(self.refused_lines)
        answer |= self.more
        answer["errors"] = [trouble.as_json() for trouble in sorted(self.errors, key=lambda t: t.line)]
        answer["warnings"] = [trouble.as_json() for trouble in self.warnings]
        return answer

    def totals_as_json(self) -> dict[str, dict[str, Any]]:
        return {
            currency: {"count": count, "total": plain(total, currency)}
            for currency, (count, total) in sorted(self.per_currency.items())
        }


class FileRefused(Refused):
    """The whole file is refused and nothing was saved; ``answer`` lists every reason."""

    def __init__(self, answer: Answer) -> None:
        first = min(answer.errors, key=lambda trouble: trouble.line)
        count = len(answer.refused_lines)
        rows = "One row" if count == 1 else f"{count:,} rows"
        place = f"Line {first.line}, {first.column}" if first.column else f"Line {first.line}"
        sentences = answer.sentences or [f"{place}: {first.message}"]
        super().__init__(
            f"{rows} of {answer.rows:,} cannot be taken, so nothing was saved. {' '.join(sentences)}",
            code="bad_rows", where=f"line {first.line}",
        )
        self.answer = answer


def refused_rows(sheet: Sheet, answer: Answer) -> tuple[list[str], list[list[str]]]:
    """The rows that were not taken, as they stood, behind their line and the reasons; with the heading."""
    reasons: dict[int, list[str]] = defaultdict(list)
    for trouble in answer.errors:
        reasons[trouble.line].append(f"{trouble.column}: {trouble.message}" if trouble.column else trouble.message)
    rows = [[str(row.line), " ".join(reasons[row.line]), *row.cells] for row in sheet.rows if row.line in reasons]
    return ["line", "reason", *sheet.header], rows


@dataclass(frozen=True)
class Companies:
    """The companies a file may speak of, and the one meant where a row names none."""

    meant: Company
    by_code: Mapping[str, Company]

    def named(self, code: str) -> Company | None:
        """The company a row belongs to; None where there is no such company."""
        return self.by_code.get(code.casefold()) if code else self.meant


def companies_for(code: str, currency: str, answer: Answer, by: Any) -> Companies:
    """The company named, or the only one there is; in an empty installation the first one begins with this file.

    Refused where there is no company of that code, or where several exist and none is named.
    """
    by_code = {company.code.casefold(): company for company in Company.objects.order_by("pk")}
    if not by_code:
        meant = _first_company(code or "main", currency, by)
        answer.warnings.append(
            Trouble(1, "company", meant.code, "There was no company yet: this one begins. Enter its name and address.")
        )
        return Companies(meant, {meant.code.casefold(): meant})
    known = ", ".join(company.code for company in by_code.values())
    if code:
        if code.casefold() not in by_code:
            raise Refused(f"There is no company «{code}». Known are: {known}.", code="company", where="company")
        return Companies(by_code[code.casefold()], by_code)
    if len(by_code) > 1:
        raise Refused(f"There are several companies: {known}. Say which one is meant.", code="company", where="company")
    return Companies(next(iter(by_code.values())), by_code)


def _first_company(code: str, currency: str, by: Any) -> Company:
    if not currency:
        raise Refused("Say in which currency the amounts are.", code="currency", where="currency")
    try:
        validate_slug(code)
    except ValidationError:
        raise Refused("The code of a company is letters, digits and dashes.", code="company", where="company") from None
    return begin_company(code[:20], currency, by)


def fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
