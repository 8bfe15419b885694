"""What the frame of every page at the desk shows: the counts in the rail, and what has to be said above everything."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """The desk, the counts and the banners; nothing on pages outside the desk."""
    desk = getattr(request, "desk", None)
    return {"desk": desk} if desk else {}
