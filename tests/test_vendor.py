"""What was taken from others is what VENDOR.json says, unchanged, licensed, and complete."""

import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parent.parent / "static"
VENDOR = json.loads((STATIC / "vendor" / "VENDOR.json").read_text())


@pytest.mark.parametrize("name", VENDOR["files"])
def test_a_vendored_file_is_the_one_that_was_taken(name):
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == VENDOR["files"][name]["sha256"]


def test_every_vendored_file_is_listed():
    found = {
        str(path.relative_to(STATIC))
        for folder in ("vendor", "fonts")
        for path in (STATIC / folder).rglob("*")
        if path.is_file() and path.name != "VENDOR.json" and path.parent.name != "licences"
    }
    assert found == set(VENDOR["files"])


def test_every_package_names_its_version_and_its_licence():
    for entry in VENDOR["files"].values():
        package = VENDOR["packages"][entry["package"]]
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert (STATIC / package["text"]).read_text()


def test_no_vendored_file_points_to_a_source_map():
    """The static files' storage of production stops at a reference to a file that does not exist."""
    for name in VENDOR["files"]:
        assert b"sourceMappingURL" not in (STATIC / name).read_bytes()
