"""Many messages one after the other ask the same of the settings: within a batch the answer is kept for a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

SECONDS = 1.0  # what somebody changes in the settings holds that much later at most

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


@dataclass
class _Batch:
    since: float
    answers: dict[Hashable, Any] = field(default_factory=dict)


_running: ContextVar[_Batch | None] = ContextVar("batch", default=None)


@contextmanager
def a_batch() -> Iterator[None]:
    """Within it, what is marked ``once_in_a_batch`` is asked once for the same arguments."""
    token = _running.set(_Batch(time.monotonic()))
    try:
        yield
    finally:
        _running.reset(token)


def once_in_a_batch(work: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
    """For questions to the settings alone, never for what somebody owes or has paid or whom they may be told of.

    What is asked about a row (a company) may depend on nothing but which row it is: its other columns may have changed
    since. Whoever gets an answer gets the same object as the others and changes nothing in it.

    >>> asked = []
    >>> @once_in_a_batch
    ... def rate(country):
    ...     asked.append(country)
    ...     return 19
    >>> with a_batch():
    ...     _ = rate("DE"), rate("DE"), rate("FR")
    >>> _ = rate("DE"), rate("DE")
    >>> asked
    ['DE', 'FR', 'DE', 'DE']
    """

    @wraps(work)
    def answer(*asked: _Asked.args, **named: _Asked.kwargs) -> _Answer:
        answers = _kept()
        if answers is None:
            return work(*asked, **named)
        key = (work, asked, *sorted(named.items()))
        try:
            hash(key)
        except TypeError:  # made up, and not in the database
            return work(*asked, **named)
        if key not in answers:
            answers[key] = work(*asked, **named)
        found: _Answer = answers[key]
        return found

    return answer


def _kept() -> dict[Hashable, Any] | None:
    """What is kept at this moment; None outside a batch."""
    batch = _running.get()
    if batch is None:
        return None
    if time.monotonic() - batch.since > SECONDS:
        batch.answers, batch.since = {}, time.monotonic()
    return batch.answers
