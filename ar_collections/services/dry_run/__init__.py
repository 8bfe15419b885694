"""A policy tried on today's book: what it would send, call, charge and stop, beside the version in force."""

from .trying import MOST_DAYS, Question, dry_run

__all__ = ["MOST_DAYS", "Question", "dry_run"]
