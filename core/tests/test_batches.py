"""What is asked once in a batch: how long an answer holds, for whom, and that nothing of it is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from core import batches
from core.batches import SECONDS, a_batch, once_in_a_batch
from core.models import Company


@pytest.fixture
def asked() -> list[Any]:
    return []


@pytest.fixture
def ask(asked: list[Any]) -> Any:
    @once_in_a_batch
    def answer(about: Any, *, more: str = "") -> int:
        asked.append(about)
        return len(asked)

    return answer


def test_an_answer_holds_for_a_second_and_is_asked_for_again(monkeypatch: Any, ask: Any, asked: list[Any]) -> None:
    at = 100.0
    monkeypatch.setattr(batches.time, "monotonic", lambda: at)
    with a_batch():
        assert [ask("a"), ask("a")] == [1, 1]
        at += SECONDS + 0.01
        assert ask("a") == 2
    assert SECONDS <= 1, "somebody who saves words and lets messages go is slower than that"


def test_no_answer_outlives_its_batch_nor_gets_into_one_within_it(ask: Any, asked: list[Any]) -> None:
    with a_batch():
        assert ask("a") == 1
        with a_batch():
            assert ask("a") == 2
        assert ask("a") == 1
    assert ask("a") == 3
    with a_batch():
        assert ask("a") == 4


def test_other_arguments_other_answers_and_what_has_no_row_is_never_kept(ask: Any) -> None:
    one, other = Company(pk=1, name="One"), Company(pk=2, name="Other")
    with a_batch():
        assert [ask(one), ask(other), ask(Company(pk=1)), ask(one, more="x")] == [1, 2, 1, 3]
        assert [ask(Company(name="made up")), ask(Company(name="made up"))] == [4, 5]


def test_what_breaks_down_is_asked_again(ask: Any) -> None:
    told = iter([True, False])

    @once_in_a_batch
    def may_fail() -> str:
        if next(told):
            raise LookupError
        return "answer"

    with a_batch():
        with pytest.raises(LookupError):
            may_fail()
        assert may_fail() == "answer"
