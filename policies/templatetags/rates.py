"""What the admin says about reference rates nobody has entered."""

from __future__ import annotations

from typing import Any

from django import template

from core.services import today
from policies.services.rates import missing_rows

register = template.Library()


@register.inclusion_tag("admin/policies/missing_rates.html")
def missing_rates(policy: Any = None) -> dict[str, Any]:
    """A sentence, and a link to the form filled in, for each half-year of today without a rate that is needed."""
    return {"missing": missing_rows(today(None), policy.name if policy else None)}
