"""LP files in odd but legal syntax."""

from __future__ import annotations

import random

from odd_models import INF, OddFile, infinity, random_model, spelled

_SENSES = {
    "minimize": ["Minimize", "MINIMIZE", "min", "minimum", "Min"],
    "maximize": ["Maximize", "MAXIMIZE", "max", "maximum", "Max"],
}
_CONSTRAINTS = ["Subject To", "subject to", "SUBJECT  TO", "st", "s.t.", "such that", "ST"]
_RELATIONS = {"<": ["<=", "<", "=<"], ">": [">=", ">", "=>"], "=": ["=", "=", "=="]}


class _Writer:
    def __init__(self, draw: random.Random) -> None:
        self.draw, self.features = draw, set[str]()
        self.model = random_model(draw)
        self.words: list[str] = []
        self.order: list[int] = []
        self.listed: set[int] = set()
        self.odd_relations = self.chance(0.15, "relations < > =< => ==")
        self.two_sided = self.chance(0.15, "row with two sides")

    def chance(self, probability: float, feature: str) -> bool:
        if self.draw.random() < probability:
            self.features.add(feature)
            return True
        return False

    def line_end(self) -> None:
        if self.chance(0.06, "comment"):
            self.words.append(" \\ x + y <= 2,5 end : [")
        self.words.append("\n")

    def keyword(self, *ways: str) -> None:
        self.words.append(self.draw.choice(ways))
        self.line_end()

    def relation(self, meaning: str) -> str:
        if not self.odd_relations:
            return _RELATIONS[meaning][0]
        return self.draw.choice(_RELATIONS[meaning])

    def spelled(self, value: float) -> str:
        return spelled(self.draw, value, self.features, fortran=False)

    def seen(self, column: int) -> None:
        if column not in self.order:
            self.order.append(column)

    def written(self) -> OddFile:
        model = self.model
        self.keyword(*_SENSES[model.sense])
        self.objective()
        self.keyword(*_CONSTRAINTS)
        self.rows()
        self.bounds()
        self.lists()
        for word in ("semi-continuous", "semis", "general", "bounds", "sos"):
            if self.chance(0.02, f"empty section {word}"):
                self.keyword(word)
        self.keyword("End", "END", "end")
        if self.chance(0.05, "text after End"):
            self.words.append("x + 2,5 : <>\n")
        self.reorder()
        text = "".join(self.words)
        if self.chance(0.1, "CRLF"):
            text = text.replace("\n", "\r\n")
        mark = b"\xef\xbb\xbf" if self.chance(0.03, "byte order mark of LP") else b""
        return OddFile(mark + text.encode(), model, self.features)

    def reorder(self) -> None:
        """Bring the columns of the model into the order of their appearance in the file."""
        model, order = self.model, self.order
        for key in ("columns", "costs", "lower", "upper", "integer"):
            values = getattr(model, key)
            setattr(model, key, [values[column] for column in order])
        model.entries = {
            (row, order.index(column)): value
            for (row, column), value in model.entries.items()
            if column in order
        }

    def term(self, value: float, column: int, *, first: bool) -> str:
        """Write a term with its sign; the first one may have none."""
        name = self.model.columns[column]
        self.seen(column)
        blank = self.draw.choice(["", " ", "  "])
        sign = "-" if value < 0 else "" if first and self.draw.random() < 0.5 else "+"
        if sign and self.chance(0.05, "two signs"):
            sign = {"-": "+ -", "+": "- -"}[sign]
        if abs(value) == 1 and self.draw.random() < 0.6:
            return f"{sign}{blank}{name}"
        text = self.spelled(abs(value)).removeprefix("+")
        glued = (
            name[0] not in "eE" and text[-1] != "." and self.chance(0.06, "number and name glued")
        )
        return f"{sign}{blank}{text}{'' if glued else ' '}{name}"

    def sum(self, terms: list[tuple[float, int]]) -> str:
        self.draw.shuffle(terms)
        text = ""
        for value, column in terms:
            if text and value % 2 == 0 and self.chance(0.1, "repeated term"):
                text += f" {self.term(value / 2, column, first=False)}"
                value /= 2
            between = self.draw.choice([" ", " ", "\n  "]) if text else ""
            text += between + self.term(value, column, first=not text)
        return text

    def objective(self) -> None:
        model = self.model
        label = self.draw.choice(["", "obj: ", "cost:", " COST :\n"])
        terms = [(value, column) for column, value in enumerate(model.costs) if value]
        if not terms and self.chance(0.3, "empty objective"):
            terms = []
        elif not terms:
            terms = [(0.0, 0)]
        text = self.sum(terms)
        if model.offset and terms:
            constant = ("+ " if model.offset > 0 else "- ") + repr(abs(model.offset))
            if self.chance(0.2, "two constants"):
                constant = f"+ {model.offset + 1!r} - 1"
                constant = constant.replace("+ -", "- ")
            text += f" {constant}"
        else:
            model.offset = 0.0
        self.words.append(f" {label}{text}")
        self.line_end()

    def rows(self) -> None:
        model = self.model
        for row, (low, high) in enumerate(model.sides):
            if -INF < low < high < INF and not self.two_sided:
                high = INF
                model.sides[row] = (low, high)
            terms = [(value, at) for (of, at), value in model.entries.items() if of == row]
            label = f"{model.rows[row]}{self.draw.choice([':', ' :', ': '])}"
            if self.chance(0.1, "row without a name"):
                label, model.rows[row] = "", f"C{row + 1}"
            text = self.sum(terms or [(0.0, 0)])
            if -INF < low < high < INF:
                if self.draw.random() < 0.5:
                    text = f"{low!r} {self.relation('<')} {text} {self.relation('<')} {high!r}"
                else:
                    text = f"{high!r} {self.relation('>')} {text} {self.relation('>')} {low!r}"
            else:
                meaning = "=" if low == high else "<" if low == -INF else ">"
                side = self.spelled(high if low == -INF else low)
                text = f"{text} {self.relation(meaning)} {side}"
            self.words.append(f" {label} {text}")
            self.line_end()

    def bounds(self) -> None:
        model, draw = self.model, self.draw
        lines = []
        columns = list(range(len(model.columns)))
        draw.shuffle(columns)
        for column in columns:
            known = model.integer[column] or column in self.order
            if known and draw.random() < 0.4:
                continue
            lines.append(self.bound(column))
        if lines:
            self.keyword("Bounds", "bound", "BOUNDS")
            for line in lines:
                self.words.append(f" {line}")
                self.line_end()

    def bound(self, column: int) -> str:
        model, draw = self.model, self.draw
        name = model.columns[column]
        self.seen(column)
        self.listed.add(column)
        low, high = draw.choice([-7.0, 0.0, 2.0]), draw.choice([3.0, 9.0, 1e6])
        less, more = self.relation("<"), self.relation(">")
        kind = draw.choice(["both", "both", "low", "high", "left", "fixed", "free", "inf"])
        if kind == "both":
            model.lower[column], model.upper[column] = low, high
            if self.chance(0.1, "bounds with >="):
                return (
                    f"{self.spelled(high)} {more} {name} {self.relation('>')} {self.spelled(low)}"
                )
            return f"{self.spelled(low)} {less} {name} {self.relation('<')} {self.spelled(high)}"
        if kind == "low":
            model.lower[column] = low
            return f"{name} {more} {self.spelled(low)}"
        if kind == "high":
            model.upper[column] = high
            return f"{name} {less} {self.spelled(high)}"
        if kind == "left":
            model.lower[column] = low
            return f"{self.spelled(low)} {less} {name}"
        if kind == "fixed":
            model.lower[column] = model.upper[column] = low
            return f"{name} {self.relation('=')} {self.spelled(low)}"
        if kind == "free":
            model.lower[column] = -INF
            return f"{name} {draw.choice(['free', 'Free', 'FREE'])}"
        model.lower[column], model.upper[column] = -INF, high
        return f"-{infinity(draw)} {less} {name} {self.relation('<')} {self.spelled(high)}"

    def lists(self) -> None:
        model, draw = self.model, self.draw
        general = [column for column, integer in enumerate(model.integer) if integer]
        binary = [column for column in general if column not in self.listed and draw.random() < 0.5]
        general = [column for column in general if column not in binary]
        for columns, words in (
            (general, ("General", "generals", "GEN", "Integers")),
            (binary, ("Binary", "binaries", "BIN")),
        ):
            if not columns:
                continue
            word = draw.choice(words)
            if columns is general and self.chance(0.1, "section int"):
                word = "Int"
            self.keyword(word)
            for column in columns:
                if column not in self.order:
                    self.features.add("column in lists only")
                self.seen(column)
                self.words.append(f" {model.columns[column]}")
                if draw.random() < 0.3:
                    self.line_end()
            self.line_end()
        for column in binary:
            model.upper[column] = 1.0


def odd_lp(seed: int) -> OddFile:
    return _Writer(random.Random(seed)).written()
