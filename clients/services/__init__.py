"""The verbs of clients, by noun; the commonest are named here."""

from .bounces import clear_bounce, mark_bounced
from .locking import lock_client
from .people import retire_contact, save_client, save_contact

__all__ = ["clear_bounce", "lock_client", "mark_bounced", "retire_contact", "save_client", "save_contact"]
