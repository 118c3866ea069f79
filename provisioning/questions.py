"""Asking a person at a terminal, one question after another: a default in brackets, and again after a wrong answer."""

import sys
from collections.abc import Callable, Sequence

from firmware.language import Text, pick

TRIES = 5
_YES = ("y", "yes", "是")
_CHOICE: Text = ("expected one of {known}", "应为 {known} 之一")
_GIVEN_UP: Text = ("{count} answers could not be used", "{count} 次回答均无效")
_NO_TERMINAL: Text = (
    "questions are asked at a terminal; a script answers with options and --yes",
    "须在终端回答问题；脚本请使用选项和 --yes",
)


class NoMoreAnswers(Exception):
    """Nobody is there to answer, or no answer could be used."""


def need_terminal() -> None:
    """Raises `NoMoreAnswers` where standard input is not a person."""
    if not sys.stdin.isatty():
        raise NoMoreAnswers(pick(_NO_TERMINAL))


def ask(question: Text, default: str, wrong: Callable[[str], str]) -> str:
    """The answer, the default for an empty one. `wrong` says what is wrong with it: then the question comes again."""
    for _ in range(TRIES):
        try:
            answer = input(f"{pick(question)} [{default}]: ").strip() or default
        except EOFError:
            print()
            raise NoMoreAnswers(pick(_NO_TERMINAL)) from None
        if not (why := wrong(answer)):
            return answer
        print(why)
    raise NoMoreAnswers(pick(_GIVEN_UP, count=TRIES))


def one_of(known: Sequence[str]) -> Callable[[str], str]:
    """For `ask`: only these."""
    return lambda answer: "" if answer in known else pick(_CHOICE, known=", ".join(known))


def agreed(question: Text, **values: object) -> bool:
    """Yes or no; anything else is no."""
    try:
        return input(f"{pick(question, **values)} [y/N] ").strip().lower() in _YES
    except EOFError:
        print()
        return False
