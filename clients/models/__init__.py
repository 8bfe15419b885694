"""Whom we trust, and how far: clients and their people, checks, decisions, and what is kept on file."""

from .credit import CreditCheck, CreditDecision, CreditLimit, CreditOverride, LimitMark, StatusChange
from .file import Acceptance, Address, Document, KeyDate, Profile
from .people import Client, ClientQuerySet, Contact, ContactQuerySet
from .wishes import ClientWay, Wishes

__all__ = [
    "Acceptance", "Address", "Client", "ClientQuerySet", "ClientWay", "Contact", "ContactQuerySet",
    "CreditCheck", "CreditDecision", "CreditLimit", "CreditOverride", "Document", "KeyDate", "LimitMark", "Profile",
    "StatusChange", "Wishes",
]
