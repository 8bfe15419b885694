"""A frozen document as an e-invoice (EN 16931): what it says, what it lacks, and its XML. Pure; nothing of ours."""
