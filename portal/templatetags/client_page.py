"""What the templates of a client's page need: its icons, from a small sprite of their own (the desk's has 15 kB)."""

from __future__ import annotations

import re
from functools import lru_cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
SPRITE = "client-icons.svg"


@lru_cache
def icon_names() -> frozenset[str]:
    """Every icon of the client's page."""
    sprite = (settings.BASE_DIR / "static" / SPRITE).read_text()
    return frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon as decoration. ValueError for one that is not in the sprite."""
    if name not in icon_names():
        raise ValueError(f"There is no icon «{name}» in static/{SPRITE}.")
    return format_html('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>', static(SPRITE), name)
