"""The verbs of clients, by noun; the commonest are named here."""

from .locking import lock_client
from .people import retire_contact, save_client, save_contact

__all__ = ["lock_client", "retire_contact", "save_client", "save_contact"]
