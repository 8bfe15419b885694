"""Payments: money comes in as unapplied cash and is allocated to what is owed; both can be taken back by reversal."""

from .allocating import How, allocate, deallocate, doc_of, open_claims, unallocated, unapplied_cash
from .crediting import creditable, credited_total, issue_credit_note
from .paying_back import pay_back
from .pro_formas import paid_for, release_paid, why_not_released
from .recording import record_payment, take_back_payment

__all__ = [
    "How", "allocate", "creditable", "credited_total", "deallocate", "doc_of", "issue_credit_note", "open_claims",
    "paid_for", "pay_back", "record_payment", "release_paid", "take_back_payment", "unallocated", "unapplied_cash",
    "why_not_released",
]
