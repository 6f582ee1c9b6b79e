"""Generate files from the enums of features: ``.venv/bin/python tools/feature_columns.py``.

The enums of `milplib.scip` define the columns of the state's arrays and blocks. This script writes
the column indices of the native code (``native/feature_columns.h``) and the tables of documents,
between the marks ``<!-- NAME -->`` and ``<!-- end of NAME -->``. With ``--check`` it writes nothing
and fails if a file is out of date.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from milplib.files import atomic_write
from milplib.scip import (
    Feature,
    KhalilFeature,
    PseudocostFeature,
    RowFeature,
    TreeFeature,
    VariableFeature,
)

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "native" / "feature_columns.h"
NATIVE: tuple[type[Feature], ...] = (VariableFeature, RowFeature, PseudocostFeature)
TABLES: dict[str, tuple[type[Feature], ...]] = {
    "docs/state.md": (VariableFeature, RowFeature, PseudocostFeature, TreeFeature),
    "docs/candidate_features.md": (KhalilFeature,),
}


def header() -> str:
    """Return the header with the column indices of the native code."""
    lines = [
        "// Columns of features. Written by `make renew` from the enums of `milplib.scip`.",
        "#pragma once",
        "",
        "namespace milplib {",
    ]
    for features in NATIVE:
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", features.__name__).lower()
        lines += [
            "",
            f"constexpr int n_{snake}s = {len(features)};",
            f"namespace {snake} {{",
            "enum : int {",
            *(
                f"    {member.name.lower()} = {int(member)},  // {member.meaning}"
                for member in features
            ),
            "};",
            f"}}  // namespace {snake}",
        ]
    return "\n".join([*lines, "", "}  // namespace milplib", ""])


def table(features: type[Feature]) -> str:
    """Return the table of an enum in Markdown."""
    columns = [
        ["no.", *(str(int(member)) for member in features)],
        [f"`{features.__name__}`", *(f"`{member.name}`" for member in features)],
        ["column in files", *(f"`{member.column}`" for member in features)],
        ["meaning", *(member.meaning.replace("|", r"\|") for member in features)],
    ]
    if all(member.column == member.name.lower() for member in features):
        del columns[2]
    head, *lines = (f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))
    return "\n".join([head, "|---" * len(columns) + "|", *lines])


def document(text: str, enums: tuple[type[Feature], ...]) -> str:
    """Return a document with updated tables.

    Raises
    ------
    SystemExit
        If the document lacks the marks of a table.
    """
    for features in enums:
        begin, end = f"<!-- {features.__name__} -->", f"<!-- end of {features.__name__} -->"
        before, has_begin, rest = text.partition(begin)
        _, has_end, after = rest.partition(end)
        if not (has_begin and has_end):
            raise SystemExit(f"a document lacks the lines '{begin}' and '{end}': restore them")
        text = f"{before}{begin}\n{table(features)}\n{end}{after}"
    return text


def renewed() -> dict[Path, str]:
    """Return the content of every generated file."""
    contents = {HEADER: header()}
    for name, enums in TABLES.items():
        path = ROOT / name
        contents[path] = document(path.read_text(), enums)
    return contents


def main() -> None:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if files differ")
    options = parser.parse_args()
    stale = [
        path
        for path, content in renewed().items()
        if not path.exists() or path.read_text() != content
    ]
    if options.check and stale:
        names = ", ".join(path.relative_to(ROOT).as_posix() for path in stale)
        sys.exit(f"not as the enums of features say: {names}; run `make renew`")
    for path in stale:
        print(f"wrote {path.relative_to(ROOT)}")
        with atomic_write(path) as stream:
            stream.write(renewed()[path].encode())


if __name__ == "__main__":
    main()
