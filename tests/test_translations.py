"""What a client reads exists in German and French, and the compiled catalogues are those of the texts beside them."""

from __future__ import annotations

import ast
import gettext
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation import trans_real
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = sorted(p for p in ROOT.glob("**/LC_MESSAGES/django.po") if ".venv" not in p.parts)
TEMPLATES = sorted(p for folder in ("portal", "mail", "pdf") for p in (ROOT / "templates" / folder).glob("*.*"))
TEMPLATES += [ROOT / "templates" / name for name in ("403_csrf.html", "404.html", "500.html", "door.html")]
CODE = sorted(
    [
        *(ROOT / "portal").glob("*.py"),
        *(ROOT / "invoices" / f"{name}.py" for name in (
            "documents", "einvoice", "tax_words", "paying", "statements", "mails", "link_mails", "pro_formas",
            "credit_notes", "resending", "more_time",
        )),
        *(ROOT / "payments" / f"{name}.py" for name in ("receipt_document", "mails")),
        ROOT / "payments" / "services" / "checkouts.py",
        *(ROOT / "ar_collections" / f"{name}.py" for name in (
            "mails", "wording", "own_words", "notice_letters", "greeting_mails", "credit_mails",
        )),
    ]
)
NOT_FOR_CLIENTS = {"Portal"}  # the name of the app, in the admin
CONTEXT = trans_real.CONTEXT_SEPARATOR
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


def test_there_is_something_to_translate():
    found = set(client_texts())
    assert {"Amount due", "I will pay on …", "How to pay"} <= found
    assert len(found) > 100


@pytest.mark.parametrize("language", ["de", "fr"])
def test_every_text_a_client_reads_is_translated(language):
    catalogue = trans_real.translation(language)._catalog
    missing = sorted(
        text for text in set(client_texts()) - NOT_FOR_CLIENTS if not _has(catalogue, text)
    )
    assert not missing


@pytest.mark.parametrize("language", ["de", "fr"])
def test_a_translation_names_the_same_values_as_the_text(language):
    """A placeholder left out loses a figure; one that was invented breaks the page."""
    for path in CATALOGUES:
        if path.parts[-3] != language:
            continue
        for message in read_po(io.BytesIO(path.read_bytes())):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            for said in message.string if isinstance(message.string, tuple) else (message.string,):
                wanted = set().union(*(_values(text) for text in ids))
                assert _values(said) <= wanted and (len(ids) > 1 or _values(said) == wanted), (path, message.id)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_compiled_catalogue_is_the_one_of_its_texts(path):
    """`python -m tests.test_translations` compiles them anew, without Debian's gettext."""
    assert _said(path.with_suffix(".mo").read_bytes()) == _said(compiled(path))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_text_waits_for_somebody_to_look_at_it(path):
    """A fuzzy text is left out when it is compiled, so it would never be seen."""
    assert not [message.id for message in read_po(io.BytesIO(path.read_bytes())) if message.id and message.fuzzy]


def compiled(path: Path) -> bytes:
    """The .mo of a .po."""
    out = io.BytesIO()
    write_mo(out, read_po(io.BytesIO(path.read_bytes())))
    return out.getvalue()


def client_texts() -> Iterator[str]:
    """Every text of the pages, mails and documents that go to a client; a context stands before its text."""
    for path in TEMPLATES:
        yield from _texts_of_template(path.read_text())
    for path in CODE:
        if path.exists():
            yield from _texts_of_code(path.read_text())
    from core.models import CompanyDocument
    from disputes.models import Dispute

    yield from (label._args[0] for _key, label in (*Dispute.REASONS, *CompanyDocument.KINDS))


def _texts_of_template(source: str) -> Iterator[str]:
    literal = r"u?((?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))"
    said = templatize(source)
    for context, text in re.findall(rf"(?<![a-z])pgettext\({literal}, {literal}\)", said):
        yield ast.literal_eval(context) + CONTEXT + ast.literal_eval(text)
    for text in re.findall(rf"(?<![a-z])(?:n?gettext|_)\({literal}", said):
        yield ast.literal_eval(text)


def _texts_of_code(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS):
            continue
        given = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        if node.func.id.startswith("pgettext"):
            yield given[0] + CONTEXT + given[1]
        elif given:
            yield given[0]


def _said(compiled: bytes) -> tuple[dict, str]:
    """What a compiled catalogue says, without the day it was made on."""
    catalogue = gettext.GNUTranslations(io.BytesIO(compiled))
    return {text: said for text, said in catalogue._catalog.items() if text}, catalogue.info()["plural-forms"]


def _has(catalogue, text: str) -> bool:
    return text in catalogue or (text, 1) in catalogue


def _values(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|%\(\w+\)d", text))


if __name__ == "__main__":
    for po in CATALOGUES:
        po.with_suffix(".mo").write_bytes(compiled(po))
