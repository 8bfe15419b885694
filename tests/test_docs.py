"""What the documents name exists: files, tests, commands and the picture of the page; every bench is named."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"`([a-z_]+(?:/[\w.]+)*/test_\w+\.py)`", text))
    linked = set(re.findall(r"\]\((?!http)([\w./-]+)\)", text))
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [name for name in linked if not (document.parent / name).exists()]
    assert not missing


def test_every_row_of_the_advice_stands_there_once() -> None:
    rows = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "advice.md").read_text(), re.MULTILINE)
    assert [int(row) for row in rows[:27]] == list(range(1, 28))


def test_every_command_of_the_operations_page_exists() -> None:
    named = set(re.findall(r"`manage\.py (\w+)", (ROOT / "docs" / "operations.md").read_text()))
    assert named and named <= set(get_commands())


@pytest.mark.parametrize("bench", sorted((ROOT / "bench").glob("*.py")), ids=lambda path: path.name)
def test_the_operations_page_names_every_bench_with_its_options(bench: Path) -> None:
    told = ast.get_docstring(ast.parse(bench.read_text())) or ""
    (row,) = re.findall(rf"^\| `bench/{bench.name}.*", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"--[a-z]+", told)) <= set(re.findall(r"--[a-z]+", row))
