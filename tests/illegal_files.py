"""Files of odd but legal syntax, each damaged in one place."""

from __future__ import annotations

import random
from dataclasses import dataclass

from odd_lp import odd_lp
from odd_mps import odd_mps

_JUNK = (
    *("2,5", "1/2", "1_0", "0x1F", "1.0x", "1.2.3", "1e", "2.5.", "ten", "nan", "--3", "+", "1e+"),
    *("1.0DD3", "3;", "(2)", "2^3", "1'000", "٣", "1e5e2", "NaN(1)", "0b1", "5%"),
)


@dataclass
class IllegalFile:
    """A file, the number of the line that is wrong, and a word that a message must name."""

    text: bytes
    line: int
    word: str
    damage: str


def illegal_mps(seed: int) -> IllegalFile:
    """Damage an MPS file; the whole line is the word where nothing else is."""
    draw = random.Random(seed)
    while True:
        lines = [
            line
            for line in odd_mps(draw.randrange(10**6)).text.decode("utf-8-sig").splitlines()
            if line.strip() and not line.startswith("*")
        ]
        lines = [line.partition(" $")[0] for line in lines]
        damage = draw.choice(_MPS_DAMAGES)
        found = damage(draw, lines)
        if found is not None:
            at, word = found
            return IllegalFile("\n".join(lines).encode(), at + 1, word, damage.__name__.strip("_"))


def _section_lines(lines: list[str], *keywords: str) -> list[int]:
    """Positions of the data lines of sections, without markers."""
    section, found = "", []
    for at, line in enumerate(lines):
        if not line.startswith((" ", "\t")):
            section = line.split()[0].upper()
            if section == "ENDATA":
                break
        elif section in keywords and "'MARKER'" not in line:
            found.append(at)
    return found


def _junk_number(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "COLUMNS", "RHS", "RANGES"))
    junk = draw.choice(_JUNK)
    lines[at] = " ".join(["", *lines[at].split()[:-1], junk])
    return at, junk


def _junk_bound(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    found = [
        at
        for at in _section_lines(lines, "BOUNDS")
        if lines[at].split()[0] in ("UP", "LO", "FX", "LI", "UI")
    ]
    if not found:
        return None
    at, junk = draw.choice(found), draw.choice(_JUNK)
    lines[at] = " ".join(["", *lines[at].split()[:-1], junk])
    return at, junk


def _value_missing(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "COLUMNS", "RHS", "RANGES", "BOUNDS"))
    words = lines[at].split()
    if words[0] in ("FR", "MI", "PL", "BV"):
        return None
    lines[at] = " ".join(["", *words[:-1]])
    return at, ""


def _word_too_many(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "ROWS", "COLUMNS"))
    lines[at] += f" {draw.choice(['surplus', '7', 'x'])}"
    return at, ""


def _unknown_row(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "COLUMNS", "RHS", "RANGES"))
    words = lines[at].split()
    words[-2] = "TYPO"
    lines[at] = " ".join(["", *words])
    return at, "TYPO"


def _unknown_column(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    found = _section_lines(lines, "BOUNDS")
    if not found:
        return None
    at = draw.choice(found)
    words = lines[at].split()
    words[-1 if words[0] in ("FR", "MI", "PL", "BV") else -2] = "TYPO"
    lines[at] = " ".join(["", *words])
    return at, "TYPO"


def _second_entry(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "COLUMNS", "RHS", "RANGES"))
    lines.insert(at + 1, lines[at])
    return at + 1, ""


def _second_row(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "ROWS"))
    name = lines[at].split()[1]
    lines.insert(at + 1, f" {draw.choice('NLGE')} {name}")
    return at + 1, name


def _unknown_sense(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    at = draw.choice(_section_lines(lines, "ROWS"))
    sense = draw.choice(["X", "LE", "<=", "Q"])
    lines[at] = f" {sense} {lines[at].split()[1]}"
    return at, sense


def _unknown_bound(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    found = _section_lines(lines, "BOUNDS")
    if not found:
        return None
    at, kind = draw.choice(found), draw.choice(["XX", "up", "BN", "U", "SC", "SI"])
    lines[at] = " ".join(["", kind, *lines[at].split()[1:]])
    return at, kind


def _another_bound(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    found = [at for at in _section_lines(lines, "BOUNDS") if lines[at].split()[0] in ("UP", "FX")]
    if not found:
        return None
    at = draw.choice(found)
    words = lines[at].split()
    lines.insert(at + 1, " ".join(["", "UP", *words[1:-1], "77.5"]))
    return at + 1, words[-2]


def _unknown_section(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    keyword = draw.choice(["ROWZ", "DATA", "x", "COLUMN", "END"])
    at = next(at for at, line in enumerate(lines) if line.upper().startswith("RHS"))
    lines.insert(at, keyword)
    return at, keyword.upper()


def _section_again(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    keyword = draw.choice(["COLUMNS", "RHS"])
    at = next(at for at, line in enumerate(lines) if line.upper() == "ENDATA")
    lines.insert(at, keyword)
    return at, keyword


def _column_again(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    found = _section_lines(lines, "COLUMNS")
    first, last = lines[found[0]].split()[0], lines[found[-1]].split()[0]
    if first == last:
        return None
    at = next(at for at, line in enumerate(lines) if line.upper().startswith("RHS"))
    if "'MARKER'" in lines[at - 1]:
        return None
    lines.insert(at, f" {first} cost 1")
    return at, first


def _second_set(draw: random.Random, lines: list[str]) -> tuple[int, str] | None:
    found = [at for at in _section_lines(lines, "RHS") if len(lines[at].split()) % 2]
    if len(found) < 2:
        return None
    at = found[-1]
    lines[at] = " ".join(["", "OTHER", *lines[at].split()[1:]])
    return at, "OTHER"


_MPS_DAMAGES = (
    *(_junk_number, _junk_number, _junk_bound, _value_missing, _word_too_many, _unknown_row),
    *(_unknown_column, _second_entry, _second_row, _unknown_sense, _unknown_bound),
    *(_another_bound, _unknown_section, _section_again, _column_again, _second_set),
)

# Lines that are wrong behind "Subject To", in the bounds and in a list, with the word to name.
_LP_ROWS = (
    *(("bad: {x} + 2 {y} <= {junk}", "{junk}"), ("bad: {junk} {x} <= 4", "{junk}")),
    *(("bad: {x} + {y} != 4", "!="), ("bad: {x} + {y} <> 4", "<>"), ("bad: {x} {y} <= 4", "{y}")),
    *(("bad: {x} + {y} =<= 4", "<="), ("bad: 2 3 {x} <= 4", "2"), ("bad: {x} + 3 >= 5", "3")),
    *(("bad: 2 * {x} <= 4", "*"), ("bad: {x} <= {y}", "<="), ("bad: [ {x} ^ 2 ] <= 4", "[")),
    *(("bad: {x} = 1 -> {y} <= 4", "-"), ("bad: 2 (p + q) <= 4", "(p"), ("bad: <= 4 <= 5", "4")),
    *(("bad: 2 general + {x} >= 1", "general"), ("bad: {x} + bin <= 2", "bin")),
    *(("bad: 1 <= {x} >= 0", "1"), ("bad: {x} + <= 2", "<="), ("bad: nan {x} <= 2", "nan")),
    *(("bad: 1e21 {x} <= 2", "1e21"), ("bad: {x} >= inf", "inf"), (": {x} >= 1", ":")),
    *(("bad: worse: {x} >= 1", "worse"), ("bad: 0x1F <= 2", "0x1F"), ("bad: .e5 <= 1", ".e5")),
)
_LP_BOUNDS = (
    *(("{x} <= {junk}", "{junk}"), ("{junk} <= {x}", "{junk}"), ("{x} != 10", "!=")),
    *(("{x}", "{x}"), ("<= 4", "<="), ("{x} <= {y}", "{y}"), ("1 <= 2 <= 3", "2")),
    *(("1 <= {x} >= 0", "1"), ("{x} free free free", "free"), ("- {x} <= 4", "{x}")),
    *(("2 {x} <= 4", "2"), ("2{x} <= 4", "{x}"), ("{x} <= 3e4x", "3e4"), ("-inf >= {x}", "{x}")),
    *(("{x} >= inf", "{x}"), ("{x} = ", "End"), ("{x} : 4", "{x}"), ("{x} <= 4 5", "5")),
)
_LP_LISTS = (("{x} {junk}", "{junk}"), ("{x} + {y}", "+"), ("{x} <= 1", "<="), ("7", "7"))


def illegal_lp(seed: int) -> IllegalFile:
    """Damage an LP file with one more line."""
    draw = random.Random(seed)
    while True:
        file = odd_lp(draw.randrange(10**6))
        names = [name for name in file.model.columns if not name.startswith("e")]
        if len(names) > 1 and file.features.isdisjoint({"comment", "text after End"}):
            break
    lines = [line for line in file.text.decode("utf-8-sig").splitlines() if line.strip()]
    x, y = draw.sample(names, 2)
    numbers = [junk for junk in _JUNK if junk[0] in "0123456789" and "^" not in junk]
    junk = draw.choice([junk for junk in numbers if junk not in ("1.0x", "0b1", "1.0DD3")])
    where = draw.choice(["row", "row", "bound", "list"])
    lines_of = {"row": _LP_ROWS, "bound": _LP_BOUNDS, "list": _LP_LISTS}[where]
    line, word = draw.choice(lines_of)
    line, word = (part.format(x=x, y=y, junk=junk) for part in (line, word))
    if where == "row":
        starts = ("subject", "such", "st", "s.t.")
        at = next(at for at, text in enumerate(lines) if text.lower().startswith(starts)) + 1
        lines.insert(at, line)
    else:
        at = next(at for at, text in enumerate(lines) if text.lower() == "end")
        lines[at:at] = ["Bounds" if where == "bound" else "General", line]
        at += 2 if word == "End" else 1
        word = lines[at].strip() if word == "End" else word
    # The sign ends a word that no exponent goes on from.
    word = "1e" if word == "1e+" else word
    return IllegalFile("\n".join(lines).encode(), at + 1, word, f"{where}: {line}")
