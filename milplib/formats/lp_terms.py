"""Terms, numbers and relations of an LP file's objective and rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.errors import InstanceError
from milplib.formats.damage import shown
from milplib.formats.lp_tokens import Tokens
from milplib.formats.lp_words import LABEL, NAME, NUMBER, RELATION, SIGN
from milplib.formats.numbers import INFINITE

__all__ = ["Words", "coefficients", "linear_words"]

_Mask = npt.NDArray[np.bool_]


@dataclass
class Words:
    """Tokens of a section without its signs, which are folded into the next token.

    Parameters
    ----------
    tokens
        All tokens of the file.
    at
        Position of each word among these.
    kind, value, name, form
        As in `milplib.formats.lp_tokens.Tokens`; numbers have their sign.
    sign
        1 or -1.
    signed
        Whether a sign stands before the word.
    """

    tokens: Tokens
    at: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]
    name: npt.NDArray[np.int32]
    form: npt.NDArray[np.uint8]
    sign: npt.NDArray[np.float64]
    signed: _Mask

    def before(self, kind: int) -> _Mask:
        """Return whether a word of this kind precedes each word."""
        result = np.zeros(self.kind.size, dtype=bool)
        result[1:] = self.kind[:-1] == kind
        return result

    def after(self, kind: int) -> _Mask:
        """Return whether a word of this kind follows each word."""
        result = np.zeros(self.kind.size, dtype=bool)
        result[:-1] = self.kind[1:] == kind
        return result

    def refuse(self, wrong: _Mask, message: str) -> None:
        """Raise an error for the first word that is wrong, if any is."""
        if wrong.any():
            raise self.tokens.error(int(self.at[wrong.argmax()]), message)


def linear_words(tokens: Tokens, start: int, stop: int) -> Words:
    """Fold signs into the words behind them.

    Raises
    ------
    InstanceError
        If the tokens hold anything but numbers, names, labels, relations and signs, or a sign
        belongs to nothing.
    """
    kind = tokens.kind[start:stop]
    _check_kinds(tokens, start, kind)
    kept = kind != SIGN
    at = np.flatnonzero(kept)
    minus = np.cumsum(~kept & (tokens.value[start:stop] < 0))
    any_sign = np.cumsum(~kept)
    before = np.concatenate(([0], at[:-1])) if at.size else at
    # The first word has no word before it.
    base, base_any = minus[before], any_sign[before]
    if at.size:
        base[0] = base_any[0] = 0
    sign = np.where((minus[at] - base) % 2 == 1, -1.0, 1.0)
    signed = any_sign[at] > base_any
    words = Words(
        tokens=tokens,
        at=at + start,
        kind=kind[at],
        value=tokens.value[start:stop][at],
        name=tokens.name[start:stop][at],
        form=tokens.form[start:stop][at],
        sign=sign,
        signed=signed,
    )
    number = words.kind == NUMBER
    words.value[number] *= sign[number]
    misplaced = signed & ((words.kind == RELATION) | (words.kind == LABEL))
    words.refuse(misplaced, "a sign stands before it, which belongs to no number or name")
    if kind.size and not kept[-1]:
        raise tokens.error(stop - 1, "the sign belongs to no number or name")
    return words


def _check_kinds(tokens: Tokens, start: int, kind: npt.NDArray[np.uint8]) -> None:
    sign = kind == SIGN
    arrow = np.flatnonzero(sign[:-1] & (kind[1:] == RELATION))
    for position in arrow.tolist():
        token = start + position
        if tokens.value[token + 1] == ord(">") and tokens.at[token + 1] == tokens.at[token] + 1:
            raise _foreign(tokens, token, "is an indicator constraint", "an indicator")
    known = np.isin(kind, (NAME, NUMBER, LABEL, RELATION, SIGN))
    if known.all():
        return
    token = start + int(known.argmin())
    operator = tokens.kind[token]
    if operator in b"[]^":
        raise _foreign(tokens, token, "is nonlinear", "quadratic")
    if operator == ord(":"):
        raise tokens.error(token, "expected the name of a row before the colon")
    raise tokens.error(
        token, "expected '+', '-' or a relation; write a coefficient and its column side by side"
    )


def _foreign(tokens: Tokens, token: int, of_row: str, of_objective: str) -> InstanceError:
    relations = np.flatnonzero(tokens.kind[:token] == RELATION)
    labels = np.flatnonzero(tokens.kind[:token] == LABEL)
    if not relations.size and (not labels.size or _in_objective(tokens, token)):
        problem = f"the objective is {of_objective}"
    elif labels.size:
        name = tokens.labels[tokens.name[labels[-1]]]
        problem = f"the constraint {shown(name)} {of_row}"
    else:
        problem = f"a constraint {of_row}"
    return tokens.error(
        token,
        f"{problem}; an instance is a mixed-integer linear program: reformulate it linearly",
    )


def _in_objective(tokens: Tokens, token: int) -> bool:
    return int((tokens.kind[:token] == LABEL).sum()) <= 1


def coefficients(words: Words, is_coefficient: _Mask) -> npt.NDArray[np.float64]:
    """Return the coefficient of each name, 0 elsewhere.

    Parameters
    ----------
    words
        Words of a section.
    is_coefficient
        Which numbers belong to the name behind them.

    Raises
    ------
    InstanceError
        If a coefficient is infinite.
    """
    name = words.kind == NAME
    own = np.zeros(words.kind.size, dtype=bool)
    own[1:] = is_coefficient[:-1]
    numbers = np.concatenate(([1.0], words.value[:-1]))
    result: npt.NDArray[np.float64] = np.where(name, np.where(own, numbers, words.sign), 0.0)
    huge = np.abs(result) >= INFINITE
    if huge.any():
        position = int(huge.argmax())
        column = shown(words.tokens.names[words.name[position]])
        raise words.tokens.error(
            int(words.at[position - 1]),
            f"the coefficient of column {column} is infinite (from {INFINITE:g} on): scale the "
            "instance",
        )
    return result
