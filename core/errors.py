"""Refused: the one exception a verb raises to say no."""


class Refused(Exception):
    """The rules say no, for a reason a person can act on.

    ``message`` is a sentence: what is wrong and what to do next; ``code`` names the rule,
    ``where`` the field or line.

    >>> str(Refused("The amount is above the balance.", code="over_allocation", where="amount"))
    'The amount is above the balance.'
    """

    def __init__(self, message: str, *, code: str = "refused", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.where = where
