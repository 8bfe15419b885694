"""An e-invoice inside its PDF: Factur-X in PDF/A-3b, as WeasyPrint leaves it and three corrections later. Pure.

WeasyPrint would write the metadata behind its own RDF instead of into it, list the attachment twice as an associated
file, and call it an application's XML; a validator refuses the first, readers stumble over the others.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

FILE_NAME = "factur-x.xml"
LEVEL = "EN 16931"
NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_RDF_END = b"</rdf:RDF>"

_PROPERTIES = (
    ("DocumentFileName", "name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "The actual version of the Factur-X XML schema"),
    ("ConformanceLevel", "The conformance level of the embedded Factur-X data"),
)
_PROPERTY = """<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>\
<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>\
<pdfaProperty:description>{says}</pdfaProperty:description></rdf:li>"""
# What the embedded file is, and the extension schema that PDF/A-3 demands for saying so (Factur-X 1.0, chapter 6).
_XMP = """<rdf:Description rdf:about="" xmlns:fx="{namespace}"><fx:ConformanceLevel>{level}</fx:ConformanceLevel>\
<fx:DocumentFileName>{file_name}</fx:DocumentFileName><fx:DocumentType>INVOICE</fx:DocumentType>\
<fx:Version>1.0</fx:Version></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">\
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">\
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>{namespace}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>\
<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>\
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
""".format(
    namespace=NAMESPACE, level=LEVEL, file_name=FILE_NAME,
    properties="".join(_PROPERTY.format(name=name, says=says) for name, says in _PROPERTIES),
).encode()  # fmt: skip


def attachment(xml: bytes, on: dt.date) -> Any:
    """The XML as an attachment of WeasyPrint, dated with the document's day: equal documents have equal bytes."""
    from weasyprint import Attachment

    at = dt.datetime.combine(on, dt.time())
    return Attachment(
        file_obj=io.BytesIO(xml), name=FILE_NAME, description="The invoice as data (Factur-X, EN 16931)", created=at,
        modified=at, relationship="Alternative",
    )


def complete(_document: Any, pdf: Any) -> None:
    """WeasyPrint's last word on a PDF with the e-invoice in it; takes the ``pydyf.PDF`` and changes it in place."""
    metadata = _object(pdf, pdf.catalog["Metadata"])
    before, end, after = metadata.stream[0].partition(_RDF_END)
    metadata.stream[0] = before + _XMP + end + after
    metadata.compress = False  # so that a reader who knows no PDF still finds it
    files = pdf.catalog["AF"]
    files[:] = dict.fromkeys(files)
    for reference in files:
        file = _object(pdf, reference)
        embedded = file["EF"]["F"]
        file["EF"]["UF"] = embedded
        _object(pdf, embedded).extra["Subtype"] = "/text#2fxml"


def _object(pdf: Any, reference: bytes | str) -> Any:
    found = re.match(r"\d+", reference.decode() if isinstance(reference, bytes) else reference)
    assert found is not None
    return pdf.objects[int(found[0])]
