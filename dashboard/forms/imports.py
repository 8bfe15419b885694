"""What the import asks: the file; which column is what; how its dates and amounts are written."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Refused
from core.models import Company
from core.uploads import LARGEST_UPLOAD
from dashboard.forms_layout import HouseForm, Rows
from imports.cells import Reading
from imports.date_formats import Cell, Formats, formats_of, in_letters, read_as
from imports.models import ImportProfile
from imports.rows import CLIENT_NEEDED, CLIENT_OPTIONAL, ITEM_NEEDED, ITEM_OPTIONAL
from imports.sheet import Sheet, clean, locate, read_sheet
from imports.suggestions import suggest_mapping
from imports.work_rows import WORK_NEEDED, WORK_OPTIONAL

from .choices import currencies

KINDS = {
    "open_items": gettext_lazy("Open items"), "clients": gettext_lazy("Clients and contacts"),
    "work": gettext_lazy("Completed work"),
}  # fmt: skip
KEYS = {
    "open_items": (ITEM_NEEDED, ITEM_OPTIONAL), "clients": (CLIENT_NEEDED, CLIENT_OPTIONAL),
    "work": (WORK_NEEDED, WORK_OPTIONAL),
}  # fmt: skip
DATES = ("issued_on", "due_on", "settled_on", "done_on")
# Questions that a kind of file does not ask.
NOT_ASKED = {
    "clients": ("date_format", "interest_from", "in_spite", "round_half_up"),
    "work": ("interest_from", "in_spite", "currency"),
}
WORDS = {
    "number": (gettext_lazy("Invoice number"), gettext_lazy("kept as text, leading zeros and all")),
    "client": (gettext_lazy("Client number"), gettext_lazy("kept as text; tells clients apart")),
    "issued_on": (gettext_lazy("Issue date"), ""), "due_on": (gettext_lazy("Due date"), ""),
    "total": (gettext_lazy("Amount"), gettext_lazy("the whole invoice, with tax")),
    "balance": (gettext_lazy("Still open"), gettext_lazy("the rest counts as paid")),
    "settled_on": (gettext_lazy("Paid on"), gettext_lazy("empty where it is open")),
    "currency": (gettext_lazy("Currency"), gettext_lazy("three letters")),
    "client_name": (gettext_lazy("Client's name"), ""), "name": (gettext_lazy("Name"), ""),
    "contact_name": (gettext_lazy("Contact"), gettext_lazy("whom to write to")),
    "email": (gettext_lazy("E-mail"), ""), "phone": (gettext_lazy("Telephone"), ""),
    "company": (gettext_lazy("Company code"), gettext_lazy("where the file has several")),
    "po": (gettext_lazy("Purchase order"), ""), "disputed": (gettext_lazy("Disputed"), gettext_lazy("yes or no")),
    "role": (gettext_lazy("Contact's role"), "accounts_payable, approver, owner, escalation"),
    "language": (gettext_lazy("Language"), "en, de, fr"),
    "time_zone": (gettext_lazy("Time zone"), "Europe/Berlin"), "country": (gettext_lazy("Country"), "DE, US"),
    "terms_days": (gettext_lazy("Terms"), gettext_lazy("days until payment is due")),
    "what": (gettext_lazy("What was done"), gettext_lazy("stands on the invoice")),
    "done_on": (gettext_lazy("Done on"), ""),
    "amount": (gettext_lazy("Amount before tax"), gettext_lazy("or the price, and how many")),
    "quantity": (gettext_lazy("Quantity"), gettext_lazy("empty: one")), "price": (gettext_lazy("Price of one"), ""),
    "unit": (gettext_lazy("Unit"), "h"), "tax": (gettext_lazy("Tax, percent"), gettext_lazy("empty: none")),
    "tax_category": (gettext_lazy("Tax category"), gettext_lazy("S, Z, E, AE, K, G or O; empty: by the percentage")),
    "no_tax_because": (gettext_lazy("Reason for no tax"), gettext_lazy("where none is due")),
    "key": (gettext_lazy("Key"), gettext_lazy("their own number: twice the same is one piece of work")),
    "credit_limit": (gettext_lazy("Credit limit"), ""), "vat_id": (gettext_lazy("VAT or tax number"), ""),
}  # fmt: skip
_WITH_COMMA = re.compile(r"-?[0-9.’' ]+,[0-9]{2}")
_WITH_POINT = re.compile(r"-?[0-9,’' ]+\.[0-9]{2}")


class UploadForm(HouseForm, forms.Form):
    """A CSV file, and what it holds."""

    kind = forms.ChoiceField(label=gettext_lazy("What is in it"), choices=list(KINDS.items()), initial="open_items")
    profile = forms.ModelChoiceField(
        label=gettext_lazy("Mapped as"), queryset=ImportProfile.objects.all(), required=False,
        empty_label=gettext_lazy("ask me which column is what"),
    )
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy("At most 10 MB. Nothing is saved before you have seen it."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
    )
    save_label = gettext_lazy("Look at it")
    rows: ClassVar[Rows] = (("kind", "profile"), "file")

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large = too_large
        if not ImportProfile.objects.exists():
            del self.fields["profile"]
            self.rows = ["kind", "file"]  # type: ignore[misc]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError(self.words_for_too_large())
        self.content = file.read()
        try:
            self.sheet = read_sheet(self.content)
        except Refused as refused:
            raise forms.ValidationError(refused.message) from None
        if not self.sheet.rows:
            raise forms.ValidationError(_("The file has a heading and no rows below it."))
        return file

    def full_clean(self) -> None:
        super().full_clean()
        if self.too_large and "file" in self.errors:
            self.errors["file"] = self.error_class([self.words_for_too_large()])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        profile = given.get("profile")
        if profile and given.get("kind") and profile.kind != given["kind"]:
            self.add_error("profile", _("This mapping is for %(kind)s.") % {"kind": KINDS[profile.kind]})
        return given

    @staticmethod
    def words_for_too_large() -> str:
        return _("The file is larger than 10 MB. Split it, or use “manage.py import_open_items” on the machine itself.")


class ColumnsForm(forms.Form):
    """Which column is what, and how dates and amounts are written. The one date format is chosen, never guessed."""

    date_format = forms.CharField(label=gettext_lazy("Dates are written as"), required=False)
    decimal = forms.ChoiceField(
        label=gettext_lazy("Decimal sign"),
        choices=[(".", gettext_lazy("point: 1,234.50")), (",", gettext_lazy("comma: 1.234,50"))],
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency where no column says it"), choices=currencies)
    round_half_up = forms.BooleanField(
        label=gettext_lazy("Round amounts that have too many decimals (half up); refused otherwise"), required=False
    )
    company = forms.ModelChoiceField(
        label=gettext_lazy("Company where no column says it"), queryset=Company.objects.all(), empty_label=None,
        to_field_name="code",
    )
    interest_from = forms.DateField(
        label=gettext_lazy("Interest from"), required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("First day that may bear interest on these items. Empty: the day a notice names."),
    )
    in_spite = forms.CharField(
        label=gettext_lazy("Why items of clients without credit are taken"), required=False, max_length=200,
        help_text=gettext_lazy(
            "Items sold on credit since a client is cash-only or closed are refused, unless somebody who may grant "
            "exceptions says why."
        ),
    )
    profile = forms.CharField(
        label=gettext_lazy("Keep this mapping as"), required=False, max_length=60,
        help_text=gettext_lazy("A name, so that the next file of this kind needs no mapping."),
    )

    def __init__(
        self, data: Any = None, *, kind: str, sheet: Sheet, company: Company, known: Reading | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        self.kind, self.sheet, self.known = kind, sheet, known
        super().__init__(data, **kwargs)
        needed, optional = KEYS[kind]
        for name in NOT_ASKED.get(kind, ()):
            del self.fields[name]
        if Company.objects.count() < 2:
            del self.fields["company"]
        columns = [("", "—"), *((f"#{n}", _titled(sheet, n)) for n in range(1, len(sheet.header) + 1))]
        proposed = self._proposed((*needed, *optional))
        for key in (*needed, *optional):
            self.fields[_name(key)] = forms.ChoiceField(
                label=WORDS[key][0], choices=columns, required=key in needed, initial=proposed.get(key, ""),
                help_text=str(WORDS[key][1]),
                error_messages={"required": _("Say which column holds it; needed in every file.")},
            )
        self.initial = {**self._told(company), **self.initial}
        for name, field in self.fields.items():
            look = "form-check-input" if isinstance(field, forms.BooleanField) else "form-control"
            field.widget.attrs["class"] = "form-select" if isinstance(field, forms.ChoiceField) else look
            field.widget.attrs.setdefault("aria-describedby", f"about-{name}")
        self.formats = self._formats()

    def groups(self) -> list[tuple[str, list[tuple[Any, list[str]]]]]:
        """The columns asked for, needed and optional ones, each with examples from the file."""
        needed, optional = KEYS[self.kind]
        titles = (_("Needed"), needed), (_("If the file has them"), optional)
        return [(title, [(self[_name(key)], self._examples(key)) for key in keys]) for title, keys in titles]

    def date_choices(self) -> list[tuple[str, str, str, bool]]:
        """Each format that fits all dates: itself, in letters, an example read by it, and whether it is chosen."""
        chosen = self["date_format"].value() or ""
        if not chosen and len(self.formats.fitting) == 1:
            chosen = self.formats.fitting[0]
        return [
            (fmt, in_letters(fmt), read_as(self.formats.sample, fmt), fmt == chosen)  # type: ignore[misc]
            for fmt in self.formats.fitting
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        used: dict[str, str] = {}
        for key, column in self.mapping().items():
            if column in used:
                self.add_error(_name(key), _("This column is already “%(other)s”.") % {"other": WORDS[used[column]][0]})
            used.setdefault(column, key)
        if "date_format" in self.fields:
            self._check_dates(given)
        return given

    def mapping(self) -> dict[str, str]:
        """Our words and the columns chosen for them, by number."""
        needed, optional = KEYS[self.kind]
        chosen = {key: self[_name(key)].value() or "" for key in (*needed, *optional)}
        there = {f"#{n}" for n in range(1, len(self.sheet.header) + 1)}
        return {key: column for key, column in chosen.items() if column in there}

    def reading(self) -> Reading:
        """How the file is to be read. Columns are named by their heading where it stands once."""
        given, header = self.cleaned_data, self.sheet.header
        named = {}
        for key, column in self.mapping().items():
            heading = header[int(column[1:]) - 1]
            folded = [other.casefold() for other in header]
            named[key] = heading if heading and folded.count(heading.casefold()) == 1 else column
        return Reading(
            mapping=named, date_format=given.get("date_format", ""), currency=given.get("currency", ""),
            decimal=given["decimal"], round_half_up=given.get("round_half_up", False),
        )

    def _check_dates(self, given: dict[str, Any]) -> None:
        """One format for all dates of the file: the only one that fits, or the one a person chose among several."""
        fmt, formats = given.get("date_format", ""), self.formats
        if formats.mixed:
            self.add_error("date_format", " ".join((*formats.mixed, _("Write all dates in one way and upload again."))))
        elif not formats.fitting:
            if formats.strange:
                line, value = formats.strange[0]
                said = _("None of these is a date we can read, such as «%(value)s» on line %(line)d.")
                self.add_error("date_format", said % {"value": value[:40], "line": line})
        elif not fmt and len(formats.fitting) > 1:
            one, other = (read_as(formats.sample, each) for each in formats.fitting[:2])
            said = _("Several formats fit every date: «%(value)s» is %(one)s or %(other)s. Which one is it?")
            self.add_error("date_format", said % {"value": formats.sample, "one": one, "other": other})
        elif fmt and fmt not in formats.fitting:
            self.add_error("date_format", _("Not every date is %(fmt)s. Choose again.") % {"fmt": in_letters(fmt)})
        else:
            given["date_format"] = fmt or formats.fitting[0]

    def _formats(self) -> Formats:
        if "date_format" not in self.fields:
            return Formats()
        mapping = self.mapping()
        return formats_of({self._heading(mapping[key]): self._cells(mapping[key]) for key in DATES if key in mapping})

    def _proposed(self, keys: tuple[str, ...]) -> dict[str, str]:
        """The column of each word as #n: by the mapping known, else by what its heading says."""
        try:
            known = self.known.mapping if self.known else suggest_mapping(self.sheet.header, keys)
            return {key: f"#{at + 1}" for key, at in locate(self.sheet, known).items()}
        except Refused:
            return self._still_there(self.known.mapping if self.known else {})

    def _still_there(self, mapping: Any) -> dict[str, str]:
        found = {}
        for key, column in mapping.items():
            try:
                found[key] = f"#{locate(self.sheet, {key: column})[key] + 1}"
            except Refused:
                continue
        return found

    def _told(self, company: Company) -> dict[str, Any]:
        told: dict[str, Any] = {"currency": company.currency, "company": company.code, "decimal": "."}
        if self.known:
            return told | {
                "date_format": self.known.date_format, "decimal": self.known.decimal,
                "currency": self.known.currency or company.currency, "round_half_up": self.known.round_half_up,
            }
        cells = [clean(cell) for row in self.sheet.rows[:200] for cell in row.cells]
        commas, points = (sum(bool(amount.fullmatch(cell)) for cell in cells) for amount in (_WITH_COMMA, _WITH_POINT))
        return told | {"decimal": "," if commas > points else "."}

    def _cells(self, column: str) -> list[Cell]:
        at = int(column[1:]) - 1
        return [(row.line, clean(row.cells[at])) for row in self.sheet.rows if at < len(row.cells)]

    def _heading(self, column: str) -> str:
        return self.sheet.name(int(column[1:]) - 1)

    def examples_of_all(self) -> dict[str, list[str]]:
        """Examples of every column, for the page to show beside another choice."""
        return {f"#{n}": self._first_values(f"#{n}") for n in range(1, len(self.sheet.header) + 1)}

    def _examples(self, key: str) -> list[str]:
        column = self.mapping().get(key)
        return self._first_values(column) if column else []

    def _first_values(self, column: str) -> list[str]:
        at = int(column[1:]) - 1
        cells = (clean(row.cells[at]) for row in self.sheet.rows[:200] if at < len(row.cells))
        return list(dict.fromkeys(cell[:40] for cell in cells if cell))[:3]


def _titled(sheet: Sheet, number: int) -> str:
    """A column's heading; with its number where the heading stands twice."""
    heading = sheet.name(number - 1)
    return f"{heading} (#{number})" if sheet.header.count(heading) > 1 else heading


def _name(key: str) -> str:
    return f"map_{key}"
