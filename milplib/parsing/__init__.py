"""Reading of JSON, TOML and YAML within limits: size, depth, aliases, repeated names, numbers.

Every file that milplib parses comes through here. A document that exceeds a limit is refused by a
`ParseError` before it takes much time or memory. Nothing in a document is executed or imported.
"""

from milplib.parsing.csv_text import parse_csv
from milplib.parsing.json_text import parse_json, read_json
from milplib.parsing.limits import MAX_BYTES, MAX_DEPTH, MAX_YAML_BYTES, ParseError
from milplib.parsing.numbers import parse_integer, parse_number
from milplib.parsing.regular import file_kind, open_regular, read_regular
from milplib.parsing.toml_text import parse_toml
from milplib.parsing.yaml_text import compose_yaml

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_YAML_BYTES",
    "ParseError",
    "compose_yaml",
    "file_kind",
    "open_regular",
    "parse_csv",
    "parse_integer",
    "parse_json",
    "parse_number",
    "parse_toml",
    "read_json",
    "read_regular",
]
