"""What a charge keeps of how it came about, and how that is read again years later."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal
from typing import Any

from core.money import plain
from invoices.interest import RULES, Rule
from invoices.models import Charge


def rule_as_json(rule: Rule) -> dict[str, Any]:
    """A rule as a charge keeps it: only what differs from a plain one, so that it reads like the rule was written."""
    found: dict[str, Any] = {}
    for field in fields(Rule):
        value = getattr(rule, field.name)
        if field.name == "code" or value != field.default:
            found[field.name] = _plain(value)
    return found


def rule_from_json(kept: dict[str, Any]) -> Rule:
    """The rule a charge was worked out by."""
    facts = dict(kept)
    for name in ("percent", "margin", "reference_up_to", "cap_percent", "legal_maximum"):
        if facts.get(name) is not None:
            facts[name] = Decimal(facts[name])
    tiers = facts.get("compensation", [])
    known = {field.name for field in fields(Rule)}
    rule = {name: value for name, value in facts.items() if name in known and name != "compensation"}
    return Rule(**rule, compensation=tuple((Decimal(least), Decimal(lump)) for least, lump in tiers))


def rule_kept(derivation: dict[str, Any]) -> Rule | None:
    """The rule in a derivation; where it is only named (charged before rules had versions), the one shipped."""
    if "terms" in derivation:
        return rule_from_json(derivation["terms"])
    return RULES.get(derivation.get("rule", ""))


def charge_as_json(charge: Charge) -> bytes:
    """A charge with its derivation as a file: the same bytes whenever it is asked for."""
    told = {
        "charge": charge.key, "kind": charge.kind, "invoice": charge.invoice.number, "client": charge.client.number,
        "currency": charge.currency, "amount": plain(charge.amount, charge.currency),
        "from": charge.from_on.isoformat() if charge.from_on else None,
        "to": charge.to_on.isoformat() if charge.to_on else None,
        "charged_on": charge.charged_on.isoformat(), "policy": str(charge.policy) if charge.policy else None,
        "revision": charge.revision, "derivation": charge.derivation,
    }  # fmt: skip
    return (json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
