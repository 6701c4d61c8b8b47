"""YAML text -> values and the line that each key stands on.

Scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `1e-3`
is a number, `no` and `2024-01-01` are text. PyYAML's own rules are YAML 1.1's.
"""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from contracts.config.key_paths import KeyPath, dotted

_NULL, _BOOL, _INT, _FLOAT, _STR, _SEQ, _MAP, _MERGE = (
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")
)
# In this order: every integer is also a float's text.
_SCALARS = {
    _NULL: r"~|null|Null|NULL|",
    _BOOL: r"true|True|TRUE|false|False|FALSE",
    _INT: r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    _FLOAT: r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    _MERGE: r"<<",
}


@dataclass(frozen=True)
class YamlDocument:
    """The values of a YAML text and where its keys are."""

    value: Any  # mappings hold the keys that are text; the others are among the problems
    lines: dict[KeyPath, int]  # from 1; list items are counted from 0 in the path
    problems: tuple[tuple[int, str], ...]  # line and sentence; duplicate keys, keys not text


class YamlTextError(ValueError):
    """The text is no YAML document."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def read_yaml(text: str) -> YamlDocument:
    """Return every value of one YAML document with the line of its key.

    Raises:
      YamlTextError: the text is no single YAML document, or holds a tag or a number that the
        core schema does not know, or a value that contains itself.
    """
    try:
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            return YamlDocument(None, {}, ())
        marks = list(_marks(node, (), ()))
        lines = {path: line for path, line, problem in marks if not problem}
        problems = tuple((line, problem) for _, line, problem in marks if problem)
        return YamlDocument(loader.construct_document(node), lines, problems)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlTextError(
            line, f"expected text, received the control character U+{error.character:04X}."
        ) from error
    except yaml.MarkedYAMLError as error:
        raise _text_error(error) from error
    except RecursionError as error:
        raise YamlTextError(1, "expected a few levels of keys, received hundreds.") from error


class _CoreLoader(yaml.SafeLoader):
    """Knows the scalars of YAML 1.2's core schema and no other tags than theirs."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping without keys that are not text; `_marks` reports these keys."""
        pairs = super().construct_mapping(node, deep=deep).items()
        return {key: value for key, value in pairs if isinstance(key, str)}


def _construct_number(loader: _CoreLoader, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node)
    try:
        if node.tag == _FLOAT:
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    except ValueError as error:
        raise ConstructorError(
            problem=f"{text[:40]!r} is no number that can be read", problem_mark=node.start_mark
        ) from error


_CoreLoader.yaml_implicit_resolvers = {
    None: [(tag, re.compile(rf"(?:{pattern})\Z")) for tag, pattern in _SCALARS.items()]
}
_CONSTRUCTORS: dict[str | None, Any] = {
    **{tag: SafeConstructor.yaml_constructors[tag] for tag in (_NULL, _BOOL, _STR, _SEQ, _MAP)},
    _INT: _construct_number,
    _FLOAT: _construct_number,
    None: SafeConstructor.construct_undefined,  # any other tag
}
_CoreLoader.yaml_constructors = _CONSTRUCTORS


def _marks(
    node: yaml.Node, path: KeyPath, inside: tuple[yaml.Node, ...]
) -> Iterator[tuple[KeyPath, int, str]]:
    """Yield path, line and "" for every key and list item, and a sentence for each wrong key."""
    if node in inside:
        raise ConstructorError(problem="a value contains itself", problem_mark=node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1, ""
            yield from _marks(item, (*path, index), (*inside, node))
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            problem = _key_problem(key, path, lines)
            if problem:
                yield path, line, problem
            elif key.tag != _MERGE:
                lines[key.value] = line
                yield (*path, key.value), line, ""
                yield from _marks(value, (*path, key.value), (*inside, node))


def _key_problem(key: yaml.Node, path: KeyPath, lines: dict[str, int]) -> str:
    if key.tag not in (_STR, _MERGE):
        shown = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
        return f"expected text as a key, received {shown}."
    if key.value not in lines:
        return ""
    name = dotted((*path, key.value))
    return f"{name}: expected once, also stands on line {lines[key.value]}. Remove one of the two."


def _text_error(error: yaml.MarkedYAMLError) -> YamlTextError:
    mark = error.problem_mark or error.context_mark
    where = f" (column {mark.column + 1})" if mark else ""
    problem = (error.problem or error.context or "not readable").removeprefix("but ")
    hint = " Indent with spaces, not with tabs." if r"'\t'" in problem else ""
    return YamlTextError(mark.line + 1 if mark else 1, f"expected YAML: {problem}{where}.{hint}")
