"""The e-invoice inside the PDF, and the PDF/A-3b around it, as a reader who is not WeasyPrint finds them."""

from __future__ import annotations

import datetime as dt
import io
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from core.models import BankAccount
from core.references import epc_payload
from core.services import read_file
from invoices import factur_x, pdf
from invoices.einvoice import einvoice_xml
from invoices.pdf import invoice_pdf, print_html
from tests.cast import TODAY, make_invoice

pytestmark = pytest.mark.once  # what stands on paper does not depend on the database

XML = b"<?xml version='1.0' encoding='UTF-8'?><rsm:CrossIndustryInvoice xmlns:rsm='urn:x'/>"
PAGE = '<html lang="en"><head><meta charset="utf-8"/><title>T</title></head><body><p>One</p></body></html>'
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
FX = f"{{{factur_x.NAMESPACE}}}"


@pytest.fixture
def printed(late_client):
    """An invoice as its client gets it."""
    invoice = make_invoice(late_client, "1000", tax="19")
    return invoice, read_file(invoice_pdf(invoice).sha256)


def root_of(content: bytes) -> DictionaryObject:
    return PdfReader(io.BytesIO(content)).trailer["/Root"].get_object()


def xmp_of(content: bytes) -> str:
    return root_of(content)["/Metadata"].get_object().get_data().decode()


def test_the_xml_of_the_invoice_is_in_its_pdf_once_as_an_alternative(printed):
    invoice, content = printed
    reader = PdfReader(io.BytesIO(content))
    assert dict(reader.attachments) == {"factur-x.xml": [read_file(einvoice_xml(invoice).sha256)]}
    root = root_of(content)
    files = [file.get_object() for file in root["/AF"]]
    assert len(files) == 1 and len(root["/Names"]["/EmbeddedFiles"].get_object()["/Names"]) == 2
    assert files[0]["/AFRelationship"] == "/Alternative"
    assert files[0]["/F"] == files[0]["/UF"] == "factur-x.xml"
    embedded = files[0]["/EF"]["/F"].get_object()
    assert files[0]["/EF"]["/UF"].get_object() == embedded and embedded["/Subtype"] == "/text/xml"
    assert embedded["/Params"]["/ModDate"] == f"D:{invoice.issued_on:%Y%m%d}000000Z"


def test_its_metadata_is_one_rdf_that_says_what_is_inside(printed):
    _invoice, content = printed
    tree = ElementTree.fromstring(re.sub(r"<\?xpacket[^>]*\?>", "", xmp_of(content)))
    (rdf,) = tree.iter(f"{RDF}RDF")
    said = {tag: next(rdf.iter(f"{FX}{tag}")).text for tag in (
        "ConformanceLevel", "DocumentFileName", "DocumentType", "Version",
    )}  # fmt: skip
    assert said == {
        "ConformanceLevel": "EN 16931", "DocumentFileName": "factur-x.xml", "DocumentType": "INVOICE", "Version": "1.0",
    }  # fmt: skip
    (about,) = (d for d in rdf if "{http://www.aiim.org/pdfa/ns/id/}part" in d.attrib)
    assert about.attrib["{http://www.aiim.org/pdfa/ns/id/}part"] == "3"
    assert about.attrib["{http://www.aiim.org/pdfa/ns/id/}conformance"] == "B"
    described = {name.text for name in rdf.iter("{http://www.aiim.org/pdfa/ns/property#}name")}
    assert described == set(said), "PDF/A wants every property of a foreign schema described"


def test_it_keeps_the_rules_of_pdf_a_that_can_be_looked_at(printed):
    """Not a validator: the clauses of ISO 19005-3 that a page like ours could break."""
    invoice, content = printed
    reader = PdfReader(io.BytesIO(content))
    root = root_of(content)
    (intent,) = root["/OutputIntents"]
    profile = intent.get_object()["/DestOutputProfile"].get_object()
    assert intent.get_object()["/S"] == "/GTS_PDFA1" and profile["/N"] == 3 and profile.get_data()[36:40] == b"acsp"
    assert content.startswith(b"%PDF-1.7\n%") and min(content[10:14]) > 127, "6.1.2: a comment of four high bytes"
    assert "/Encrypt" not in reader.trailer and len(reader.trailer["/ID"]) == 2, "6.1.3"
    assert content.rstrip().endswith(b"%%EOF"), "6.1.3: nothing behind the end"
    for font in fonts_of(reader):
        assert font["/FontDescriptor"].get_object().keys() & {"/FontFile2", "/FontFile3"}, "6.2.11.4: embedded"
    told = {"/JavaScript", "/Launch", "/OpenAction", "/AA", "/XFA"}
    assert not told & set(root), "6.5, 6.6: nothing that acts"
    info, xmp = reader.metadata, xmp_of(content)
    assert info is not None and f"<rdf:li xml:lang=\"x-default\">{info['/Title']}<" in xmp, "6.6.2: they say the same"
    assert f"<xmp:CreateDate>{invoice.issued_on}T00:00:00+00:00<" in xmp
    assert info["/CreationDate"] == f"D:{invoice.issued_on:%Y%m%d}000000+00'00"
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en", "it can be read aloud"


def fonts_of(reader: PdfReader) -> list[DictionaryObject]:
    found = []
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            found += [kid.get_object() for kid in font.get_object()["/DescendantFonts"]]
    assert found
    return found


def test_equal_words_and_xml_give_equal_bytes_in_another_process_too():
    first = print_html(PAGE, xml=XML, day=TODAY)
    pdf._printer.stop()
    assert print_html(PAGE, xml=XML, day=TODAY) == first
    assert print_html(PAGE, xml=XML + b"\n", day=TODAY) != first
    assert print_html(PAGE, xml=XML, day=TODAY + dt.timedelta(days=1)) != first


def test_what_has_no_e_invoice_is_an_archive_too_and_claims_no_more(late_client):
    content = print_html(PAGE)
    assert not PdfReader(io.BytesIO(content)).attachments and "/AF" not in root_of(content)
    assert 'pdfaid:part="3"' in xmp_of(content) and "factur-x" not in xmp_of(content)


def test_the_finishing_touches_are_needed():
    """What WeasyPrint alone would leave behind; the day it no longer does, ours may go."""

    class Stream:
        def __init__(self, text: bytes) -> None:
            self.stream, self.compress, self.extra = [text], True, {"Subtype": "/application#2fxml"}

    class Written:
        catalog = {"Metadata": b"1 0 R", "AF": [b"2 0 R", b"2 0 R"]}
        objects = [None, Stream(b"<rdf:RDF></rdf:RDF></x:xmpmeta>"), {"EF": {"F": b"3 0 R"}}, Stream(b"")]

    factur_x.complete(None, Written)
    assert Written.catalog["AF"] == [b"2 0 R"]
    said = Written.objects[1].stream[0]
    assert said.index(b"fx:ConformanceLevel") < said.index(b"</rdf:RDF>") and said.count(b"</rdf:RDF>") == 1
    assert Written.objects[3].extra["Subtype"] == "/text#2fxml"


def codes_on(content: bytes, folder: Path, name: str) -> list[str]:
    """What a scanner reads off the printed page."""
    file = folder / f"{name}.pdf"
    file.write_bytes(content)
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", file, folder / name], check=True)
    with Image.open(folder / f"{name}.png") as page:
        return [code.text for code in zxingcpp.read_barcodes(page)]


@pytest.mark.parametrize("design", ["ledger", "plain"])
def test_a_scanner_reads_the_transfer_off_the_paper(late_client, tmp_path, design):
    late_client.design = design
    late_client.save()
    invoice = make_invoice(late_client, "1000", tax="19")
    meant = epc_payload(
        "Lumen & Oak Studio GmbH", "DE89370400440532013000", "COBADEFFXXX", Decimal(1190), invoice.reference
    )
    assert codes_on(read_file(invoice_pdf(invoice).sha256), tmp_path, design) == [meant]


def test_a_false_account_gets_no_code_on_paper_either(late_client, tmp_path):
    BankAccount.objects.update(iban="DE89370400440532013001")
    assert codes_on(read_file(invoice_pdf(make_invoice(late_client)).sha256), tmp_path, "none") == []
