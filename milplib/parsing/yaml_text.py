"""YAML within limits, as nodes that know their lines."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from milplib.parsing.limits import MAX_YAML_BYTES, ParseError

if TYPE_CHECKING:
    import yaml

__all__ = ["compose_yaml"]

_MAX_YAML_DEPTH = 20
_MAX_YAML_NODES = 50_000  # with every alias counted as all that it stands for


def compose_yaml(content: bytes) -> yaml.Node | None:
    """Parse YAML in UTF-8 to nodes, which know their lines; return None for an empty document.

    An alias may stand for a value once more, but the document with all aliases written out must
    be small too.

    Raises
    ------
    ParseError
        If the text is not in UTF-8, or exceeds a limit. The message names the line.
    yaml.YAMLError
        If the text is not YAML.

    Examples
    --------
    >>> compose_yaml(b"seeds: 3").value[0][1].value
    '3'
    """
    import yaml

    if len(content) > MAX_YAML_BYTES:
        raise ParseError(f"it has more than {MAX_YAML_BYTES >> 10} KB, the limit of such a file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    node: yaml.Node | None = yaml.compose(text, Loader=_limited_loader())  # type: ignore[no-untyped-call,unused-ignore]
    return node


@cache
def _limited_loader() -> type[yaml.SafeLoader]:
    import yaml

    class Limited(yaml.SafeLoader):  # type: ignore[misc,unused-ignore]
        """A composer that counts nodes and levels before it makes them."""

        def __init__(self, stream: Any) -> None:
            super().__init__(stream)
            self._depth, self._nodes = 0, 0
            self._sizes: dict[int, int] = {}

        def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
            """Compose a node; its size is that of all nodes below it, aliases written out."""
            line = self.peek_event().start_mark.line + 1
            is_alias = self.check_event(yaml.AliasEvent)
            before = self._nodes
            self._depth += 1
            if self._depth > _MAX_YAML_DEPTH:
                raise ParseError(
                    f"line {line}: sections are nested more than {_MAX_YAML_DEPTH} levels deep"
                )
            node: yaml.Node | None = super().compose_node(parent, index)
            self._depth -= 1
            if is_alias and id(node) not in self._sizes:
                raise ParseError(f"line {line}: a value stands in itself")
            self._nodes += self._sizes[id(node)] if is_alias else 1
            if self._nodes > _MAX_YAML_NODES:
                raise ParseError(
                    f"line {line}: the file has more than {_MAX_YAML_NODES} values, with all "
                    "aliases written out"
                )
            if not is_alias:
                self._sizes[id(node)] = self._nodes - before
            return node

    return Limited
