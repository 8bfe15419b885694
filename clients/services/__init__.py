"""The verbs of clients, by noun; the commonest are named here."""

from .people import lock_client, retire_contact, save_client, save_contact

__all__ = ["lock_client", "retire_contact", "save_client", "save_contact"]
