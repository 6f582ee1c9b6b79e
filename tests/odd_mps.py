"""MPS files in odd but legal syntax."""

from __future__ import annotations

import random

from odd_models import INF, Model, OddFile, infinity, number, random_model, spelled


class _Writer:
    def __init__(self, draw: random.Random) -> None:
        self.draw, self.features = draw, set[str]()
        self.model = random_model(draw)
        self.lines: list[str] = []
        self.blanks = draw.choice([" ", "  ", "\t", " \t "])

    def chance(self, probability: float, feature: str) -> bool:
        if self.draw.random() < probability:
            self.features.add(feature)
            return True
        return False

    def data(self, *words: str) -> None:
        if self.chance(0.04, "comment line"):
            self.lines.append(f"* {' '.join(words)}")
        if self.chance(0.04, "blank line"):
            self.lines.append(self.draw.choice(["", "   "]))
        line = " " + self.blanks.join(words)
        if self.chance(0.02, "dollar comment"):
            line += " $ a comment 1 2 3"
        if self.chance(0.01, "long line"):
            line = " " * 1100 + line
        self.lines.append(line + self.draw.choice(["", "", "  "]))

    def keyword(self, word: str, *rest: str) -> None:
        if self.chance(0.05, "keyword in lower case"):
            word = word.lower()
        self.lines.append(" ".join([word, *rest]))

    def written(self) -> OddFile:
        self.head()
        senses = self.rows()
        self.columns()
        self.right_sides(senses)
        self.bounds()
        self.keyword("ENDATA")
        if self.chance(0.05, "text after ENDATA"):
            self.lines += ["more text", " x 1 2 3"]
        end = "\r\n" if self.chance(0.1, "CRLF") else "\n"
        mark = b"\xef\xbb\xbf" if self.chance(0.03, "byte order mark") else b""
        text = mark + (end.join(self.lines) + self.draw.choice([end, ""])).encode()
        return OddFile(text, self.model, self.features)

    def head(self) -> None:
        if self.chance(0.1, "no NAME"):
            pass
        else:
            self.keyword("NAME", *self.draw.choice([[], ["model"], ["two", "words"]]))
        word = {"minimize": ["MIN", "min", "MINIMIZE"], "maximize": ["MAX", "max", "MAXIMIZE"]}
        sense = self.draw.choice(word[self.model.sense])
        if self.model.sense == "maximize" or self.draw.random() < 0.3:
            if self.chance(0.4, f"OBJSENSE {sense} in one line"):
                self.keyword("OBJSENSE", sense)
            else:
                self.keyword("OBJSENSE")
                self.lines.append(f"    {sense}")
        if self.chance(0.05, "OBJNAME"):
            self.keyword("OBJNAME")
            self.lines.append("    cost")

    def rows(self) -> list[str]:
        self.keyword("ROWS")
        self.data("N", "cost")
        senses = []
        lazy = len(self.model.rows) - 1 if self.chance(0.04, "LAZYCONS") else len(self.model.rows)
        for row, (name, (low, high)) in enumerate(
            zip(self.model.rows, self.model.sides, strict=True)
        ):
            if row == lazy:
                self.keyword("LAZYCONS")
            if self.chance(0.05, "free row"):
                self.data("N", f"free{row}")
            sense = "L" if low == -INF else "G" if high == INF else self.draw.choice("LGE")
            if low == high:
                sense = "E"
            senses.append(sense)
            self.data(sense, name)
        return senses

    def pairs(self, first: str, pairs: list[tuple[str, str]]) -> None:
        """Write pairs of a row and a number, one or two to a line."""
        while pairs:
            count = self.draw.choice([1, 2])
            taken, pairs = pairs[:count], pairs[count:]
            words = [word for pair in taken for word in pair]
            self.data(*([first] if first else []), *words)

    def spelled(self, value: float) -> str:
        return spelled(self.draw, value, self.features)

    def columns(self) -> None:
        model = self.model
        self.keyword("COLUMNS")
        inside = 0
        for column, name in enumerate(model.columns):
            if model.integer[column] != inside:
                inside = model.integer[column]
                kind = "'INTORG'" if inside else "'INTEND'"
                self.data(f"M{column}", "'MARKER'", kind)
            pairs = [("cost", self.spelled(model.costs[column]))]
            pairs += [
                (model.rows[row], self.spelled(value))
                for (row, at), value in model.entries.items()
                if at == column
            ]
            self.draw.shuffle(pairs)
            self.pairs(name, pairs)
        if inside and not self.chance(0.2, "no INTEND"):
            self.data("M9", "'MARKER'", "'INTEND'")

    def right_sides(self, senses: list[str]) -> None:
        model = self.model
        set_name = "" if self.chance(0.25, "no set") else self.draw.choice(["RHS", "B", "rhs1"])
        bases = [
            high if sense == "L" else low
            for sense, (low, high) in zip(senses, model.sides, strict=True)
        ]
        ranges = {}
        for row, (low, high) in enumerate(model.sides):
            if -INF < low < high < INF:
                upwards = senses[row] == "G" or (senses[row] == "E" and self.draw.random() < 0.5)
                bases[row] = low if upwards else high
                width = 2.5
                # A reader computes the other side.
                model.sides[row] = (low, low + width) if upwards else (high - width, high)
                sign = 1 if senses[row] != "E" and self.draw.random() < 0.5 else -1
                ranges[row] = width * (1 if upwards else -1) if senses[row] == "E" else sign * width
        self.keyword("RHS")
        pairs = [(model.rows[row], self.spelled(value)) for row, value in enumerate(bases)]
        if model.offset:
            pairs.append(("cost", self.spelled(-model.offset)))
        self.draw.shuffle(pairs)
        self.pairs(set_name, pairs)
        if ranges:
            self.keyword("RANGES")
            self.pairs(
                "" if self.chance(0.2, "no set in RANGES") else "RNG",
                [(model.rows[row], self.spelled(width)) for row, width in ranges.items()],
            )

    def bounds(self) -> None:
        model = self.model
        lines: list[tuple[str, ...]] = []
        for column, name in enumerate(model.columns):
            lines += self.bound(column, name)
        if lines or self.draw.random() < 0.2:
            self.keyword("BOUNDS")
        in_set = not self.chance(0.25, "no set in BOUNDS")
        for kind, name, *value in lines:
            self.data(kind, *(["BND"] if in_set else []), name, *value)

    def bound(self, column: int, name: str) -> list[tuple[str, ...]]:
        model, draw = self.model, self.draw
        low, high = draw.choice([-7.0, 0.0, 2.0]), draw.choice([3.0, 9.5, 1e6])
        if model.integer[column]:
            high = round(high)
        kind = draw.choice(["", "", "UP", "LO", "both", "FX", "FR", "MI", "BV", "LI", "UI", "PL"])
        if kind == "":
            model.upper[column] = 1.0 if model.integer[column] else INF
            return []
        if kind in ("BV", "LI", "UI"):
            model.integer[column] = 1
        result: list[tuple[str, ...]]
        if kind == "BV":
            model.upper[column] = 1.0
            result = [("BV", name)]
        elif kind in ("UP", "UI"):
            high = round(high) if kind == "UI" else high
            model.upper[column] = draw.choice([high, 1.0]) if kind == "UP" else high
            result = [(kind, name, self.spelled(model.upper[column]))]
        elif kind in ("LO", "LI"):
            model.lower[column] = low
            result = [(kind, name, self.spelled(low))]
        elif kind == "both":
            model.lower[column], model.upper[column] = low, high
            result = [("LO", name, self.spelled(low)), ("UP", name, self.spelled(high))]
            if self.draw.random() < 0.2:
                model.upper[column] = INF
                result[1] = ("UP", name, infinity(draw))
            draw.shuffle(result)
        elif kind == "FX":
            model.lower[column] = model.upper[column] = low
            result = [("FX", name, self.spelled(low))]
        elif kind == "FR":
            model.lower[column] = -INF
            result = [("FR", name)]
        elif kind == "MI":
            model.lower[column] = -INF
            result = [("MI", name)]
            if draw.random() < 0.6:
                model.upper[column] = high
                result.append(("UP", name, self.spelled(high)))
                draw.shuffle(result)
        else:
            result = [("PL", name)]
        return result


def odd_mps(seed: int) -> OddFile:
    return _Writer(random.Random(seed)).written()


def fixed_mps(seed: int) -> OddFile:
    """Write a file in fixed format, in which names may hold blanks."""
    draw = random.Random(seed)
    model = Model(sense="minimize")
    model.columns = draw.sample(["x 1", "a  b c", "two wd", "plain", "n 2 3"], 3)
    model.rows = draw.sample(["row 1", "R2", "c a p"], 2)

    def line(kind: str, *fields: str) -> str:
        first, second, *rest = [*fields, "", ""][: max(2, len(fields))]
        text = f" {kind:<2} {first:<8}  {second:<8}"
        for at, value in enumerate(rest):
            text = f"{text:<24}{value:>12}" if at % 2 == 0 else f"{text:<39}{value:<8}"
        return text.rstrip()

    lines = ["NAME          fixed", "ROWS", " N  total"]
    for name in model.rows:
        side = number(draw)
        model.sides.append((-INF, side))
        lines.append(f" L  {name}")
    lines.append("COLUMNS")
    for column, name in enumerate(model.columns):
        model.costs.append(number(draw))
        model.integer.append(0)
        model.lower.append(0.0)
        model.upper.append(float(draw.randint(2, 9)))
        lines.append(line("", name, "total", repr(model.costs[column])))
        for row, of in enumerate(model.rows):
            model.entries[row, column] = number(draw)
            lines.append(line("", name, of, repr(model.entries[row, column])))
    lines.append("RHS")
    lines += [
        line("", "RHS", name, repr(side[1]))
        for name, side in zip(model.rows, model.sides, strict=True)
    ]
    lines.append("BOUNDS")
    lines += [
        line("UP", "BND", name, repr(high))
        for name, high in zip(model.columns, model.upper, strict=True)
    ]
    lines.append("ENDATA")
    return OddFile("\n".join(lines).encode(), model, {"fixed format"})
