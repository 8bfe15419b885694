"""Who may do what only some people may; the roles and what they hold."""

from __future__ import annotations

from typing import Any

from .errors import Refused


def may(by: Any, permission: str) -> bool:
    """Whether a person holds a permission, such as "clients.set_limit"; the house itself (a text) holds none."""
    return bool(by.has_perm(permission)) if hasattr(by, "has_perm") else False


def demand(by: Any, permission: str, to_do: str) -> None:
    """Refuse an act that needs a permission the person lacks; ``to_do`` ends the sentence «You may not …»."""
    if not may(by, permission):
        raise Refused(f"You may not {to_do}; ask somebody who may.", code="permission")
