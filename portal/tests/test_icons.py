"""The icons of the client's page are those of the desk, unchanged."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)".*?</symbol>', re.S)


def test_every_icon_of_the_clients_page_is_one_of_the_desks():
    def symbols(name):
        return {found[1]: found[0] for found in SYMBOL.finditer((STATIC / name).read_text())}

    small, whole = symbols("client-icons.svg"), symbols("vendor/icons.svg")
    assert small and {name: whole.get(name) for name in small} == small
    assert (STATIC / "client-icons.svg").stat().st_size < 6_000
