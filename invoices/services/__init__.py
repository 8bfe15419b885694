"""The verbs of invoices, by noun: ledger, drafting, issuing, charging, linking."""
