"""Real books that are not ours to keep in the tree: tests that use one skip where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

AR = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "ar"
IBM, HIGHRADIUS = AR / "ibm_ar.csv", AR / "highradius_open.csv"

IBM_MAP = {
    "number": "invoiceNumber",
    "client": "customerID",
    "issued_on": "InvoiceDate",
    "due_on": "DueDate",
    "total": "InvoiceAmount",
    "settled_on": "SettledDate",
}
IBM_DATES = "%m/%d/%Y"
HIGHRADIUS_MAP = {
    "number": "doc_id",
    "client": "cust_number",
    "client_name": "name_customer",
    "issued_on": "posting_date",
    "due_on": "due_in_date",
    "total": "converted_usd",
}
HIGHRADIUS_DATES = "%Y-%m-%d 00:00:00.000000000"

needs_ibm = pytest.mark.skipif(not IBM.exists(), reason=f"{IBM.name} is not here; it may not be redistributed")
needs_highradius = pytest.mark.skipif(
    not HIGHRADIUS.exists(), reason=f"{HIGHRADIUS.name} is not here; it may not be redistributed"
)


def as_option(mapping: dict[str, str]) -> str:
    """A mapping as the command line has it."""
    return ",".join(f"{key}={column}" for key, column in mapping.items())
