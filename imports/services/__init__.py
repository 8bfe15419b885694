"""The verbs of imports, by noun: open_items, clients, profiles."""
