"""Values in nested mappings by the path of their key."""

from typing import Any

from contracts.config.key_paths import KeyPath


def value_at(values: Any, path: KeyPath) -> Any:
    """Return the value at `path`, None where there is none."""
    for part in path:
        values = values.get(part) if isinstance(values, dict) else None
    return values


def with_value(values: Any, path: KeyPath, value: Any) -> Any:
    """Return a copy of nested mappings with `value` at `path`; YAML aliases do not change."""
    if not path:
        return value
    copied = dict(values) if isinstance(values, dict) else {}
    copied[path[0]] = with_value(copied.get(path[0]), path[1:], value)
    return copied


def without(values: Any, path: KeyPath) -> Any:
    """Return a copy of nested mappings without the key at `path`."""
    if not isinstance(values, dict) or path[0] not in values:
        return values
    rest = {key: value for key, value in values.items() if key != path[0]}
    # A list goes as a whole: its other items mean little without the wrong one.
    if len(path) == 1 or not isinstance(values[path[0]], dict):
        return rest
    return {**rest, path[0]: without(values[path[0]], path[1:])}
