"""The default ladder: what is said before and after the due date, in which tone, and what follows from it.

Pure data; ``policies.services`` makes a policy's steps of it. Offsets are days after the due date.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class LadderStep(NamedTuple):
    """One step as shipped; the fields are those of ``policies.models.Step``."""

    code: str
    title: str
    offset_days: int
    channel: str
    tone: str
    extra: dict[str, Any]


DEFAULT_LADDER: tuple[LadderStep, ...] = (
    LadderStep("pre_due", "Due in a week", -7, "mail", "courteous", {"spacing_exempt": True}),
    LadderStep("first_overdue", "Late since yesterday", 1, "mail", "friendly", {"spacing_exempt": True}),
    LadderStep(
        "reminder_1", "First reminder", 8, "mail", "plain", {"pay_within_days": 7, "moves_stage_to": "reminded"}
    ),
    LadderStep("call_1", "Call", 14, "call", "helpful", {}),
    LadderStep(
        "reminder_2",
        "Second reminder",
        21,
        "letter",
        "firm",
        {"pay_within_days": 7, "cc_next_contact": True, "moves_stage_to": "reminded"},
    ),
    LadderStep(
        "reissue",
        "Invoice sent again, notice of interest",
        30,
        "mail",
        "firm",
        {
            "mandatory": True, "attach_invoice": True, "interest_notice_days": 7, "pay_within_days": 7,
            "sets_cash_only": True,
        },
    ),
    LadderStep("call_2", "Call after the second invoice", 33, "call", "firm", {}),
    LadderStep(
        "final_notice",
        "Final notice",
        45,
        "letter",
        "formal",
        {
            "mandatory": True,
            "claims_interest": True,
            "pay_within_days": 14,
            "addressee": "owner",
            "cc_next_contact": True,
            "moves_stage_to": "final_notice",
        },
    ),
    LadderStep("review", "Decide what to do", 60, "review", "neutral", {"repeats_every_days": 30}),
    LadderStep(
        "statement",
        "Statement of account",
        90,
        "mail",
        "plain",
        {"attach_statement": True, "repeats_every_days": 30},
    ),
)

DEFAULT_CALL_MINIMUM = {"EUR": "250", "USD": "250", "GBP": "250"}
