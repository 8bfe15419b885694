"""What a mail says: subject, text and html from the templates in ``templates/mail``, in the reader's language.

Text written by people reaches a template only as a value; it is never template syntax itself.
"""

from __future__ import annotations

import re
from typing import Any

import css_inline
from django.template import Context, engines
from django.utils import translation

from .batches import once_in_a_batch

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_HOUSE_COLOUR = "#0f5f57"
_INK = "#14211e"
READABLE = 4.5  # WCAG 2.2, 1.4.3
_SPACES_AT_LINE_END = re.compile(r"[ \t]+(?=\n)")
_LABEL_COLON = re.compile(r"(?<=[\w)»’]):(?=\s|$)")
_EMPTY_LINES = re.compile(r"\n{3,}")


def compose(name: str, context: dict[str, Any], language: str) -> tuple[str, str, str]:
    """Subject, text and html of the mail ``name`` in a language; values are escaped in html and only there.

    Renders ``mail/<name>.subject.txt``, ``mail/<name>.txt`` and ``mail/<name>.html``. What the shared frame
    (``mail/base.html``, ``mail/base.txt``) needs from ``context`` stands at the top of those files.
    """
    accent = _accent(context.get("company"))
    dark = contrast_with_white(accent) >= READABLE
    colours = {"accent": accent, "on_accent": "#ffffff" if dark else _INK, "link": accent if dark else _INK}
    values = {**context, **colours, "profiles": _profiles(context.get("company"))}
    with translation.override(language):
        subject = _render(f"mail/{name}.subject.txt", values, escape=False)
        text = _render(f"mail/{name}.txt", values, escape=False)
        html = _render(f"mail/{name}.html", values, escape=True)
    styled = css_inline.inline(html, keep_at_rules=True, load_remote_stylesheets=False)
    if language.startswith("fr"):
        subject, text = _as_french(subject), _as_french(text)
    return " ".join(subject.split())[:300], tidy(text), styled


def tidy(text: str) -> str:
    r"""Text as it reads well in a mail: no spaces at line ends, at most one empty line at a time.

    >>> tidy("\n\nHello \n\n\n\nworld\n")
    'Hello\n\nworld\n'
    """
    return _EMPTY_LINES.sub("\n\n", _SPACES_AT_LINE_END.sub("", text.replace("\r\n", "\n"))).strip() + "\n"


def _as_french(text: str) -> str:
    r"""A space that does not break stands before the colon after a label; never inside an address or a time.

    >>> _as_french("Total: 12,00 €\nhttps://firm.test\n10:30")
    'Total\xa0: 12,00 €\nhttps://firm.test\n10:30'
    """
    return _LABEL_COLON.sub("\u00a0:", text)


def contrast_with_white(colour: str) -> float:
    """The contrast ratio of a colour such as #0f5f57 with white, by WCAG 2.2.

    >>> round(contrast_with_white("#000000")), round(contrast_with_white("#ffffff"))
    (21, 1)
    """
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _render(template: str, values: dict[str, Any], *, escape: bool) -> str:
    found = engines["django"].engine.get_template(template)  # type: ignore[attr-defined]
    return str(found.render(Context(dict(values), autoescape=escape)))


@once_in_a_batch
def _profiles(company: Any) -> list[Any]:
    """The company's own public profiles, for the foot of every mail."""
    return list(company.profiles.all()) if getattr(company, "pk", None) else []


def _accent(company: Any) -> str:
    """The company's brand colour; it stands inside a stylesheet, so nothing but a colour is let through."""
    accent = str(getattr(company, "accent", "") or "")
    return accent if _COLOUR.fullmatch(accent) else _HOUSE_COLOUR
