"""Puts values into a YAML text, and keeps its comments and its order."""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import JsonValue

from contracts.config.key_paths import KeyPath, key_path
from contracts.config.loading.nested_values import with_value
from contracts.config.loading.yaml_marks import YamlTextError, read_yaml
from contracts.system.errors import ConfigError

# As the template is written.
LINE_LENGTH = 100
INDENT = 2


def with_values_in_place(text: str, values: Mapping[str, JsonValue]) -> str:
    """Return the text with `values`, by dotted key; a missing key is added.

    Raises:
      ConfigError: the text uses anchors, so that a value cannot be put in without changing other
        keys.
    """
    expected = read_yaml(text).value
    try:
        for key, value in values.items():
            path = key_path(key)
            expected = with_value(expected, path, value)
            text = _with_value(text, path, value)
        is_right = read_yaml(text).value == expected
    except (yaml.YAMLError, YamlTextError):  # such as an anchor before a mapping
        is_right = False
    if not is_right:
        raise ConfigError(
            f"{', '.join(values)}: cannot be put into the config without changing other keys, as "
            "where it uses anchors. Put them in by hand."
        )
    return text


def _with_value(text: str, path: tuple[str, ...], value: JsonValue) -> str:
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    parent = node
    for depth, part in enumerate(path):
        below = next((child for key, child in node.value if key.value == part), None)
        if below is None:
            return _added(text, node, path[depth:], value)
        parent, node = node, below
        if depth < len(path) - 1 and not isinstance(node, yaml.MappingNode):
            return _replaced(text, node, parent, _nested(path[depth + 1 :], value))
    return _replaced(text, node, parent, value)


def _added(text: str, mapping: yaml.MappingNode, path: KeyPath, value: JsonValue) -> str:
    """Return the text with one more key in a mapping, before the other keys."""
    start = mapping.start_mark.index
    entry = f"{path[0]}: {_flow(_nested(path[1:], value))}"
    if mapping.flow_style:
        separator = ", " if mapping.value else ""
        return f"{text[: start + 1]}{entry}{separator}{text[start + 1 :]}"
    return f"{text[:start]}{entry}\n{' ' * mapping.start_mark.column}{text[start:]}"


def _replaced(text: str, node: yaml.Node, parent: yaml.MappingNode, value: JsonValue) -> str:
    """Return the text with another value in the place of a node: on its line where that is short.

    A mapping that is too long for a line becomes a block with a line a key.
    """
    start, end = node.start_mark.index, _end(node)
    shown = _flow(value)
    line = text.rfind("\n", 0, start) + 1
    is_long = start - line + len(shown) > LINE_LENGTH
    if is_long and isinstance(value, dict) and not parent.flow_style:
        indent = " " * (parent.start_mark.column + INDENT)
        shown = "".join(f"\n{indent}{_flow(key)}: {_flow(one)}" for key, one in value.items())
        start = len(text[:start].rstrip(" "))
    elif start == end and text[start - 1 : start] == ":":
        shown = f" {shown}"
    return text[:start] + shown + text[end:]


def _end(node: Any) -> int:
    """Return where the text of the node ends; comments after a block do not belong to it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _nested(path: KeyPath, value: JsonValue) -> JsonValue:
    nested: JsonValue = with_value({}, path, value)
    return nested


def _flow(value: JsonValue) -> str:
    """Return a value in YAML on one line."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1 << 20)
    return dumped.strip().removesuffix("...").strip()
