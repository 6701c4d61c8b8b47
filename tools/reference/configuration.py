"""The keys of pipeline.yaml: their comments from the template, their values from the schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.config.key_paths import KeyPath, dotted
from contracts.config.loading.config_schema import expectation, field_schema, known_keys
from contracts.config.loading.yaml_marks import read_yaml
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.validation import CHECKS, ValidationConfig

TEMPLATE = Path(__file__).parents[2] / "pipeline.yaml"

_VALIDATION = "validation"
# Sections with many keys that are alike, which the comments list.
_ONE_ROW = (("augmentation", "operations"),)


def configuration_part() -> str:
    """Return each section of the template and a table of its keys, as Markdown."""
    return "\n\n".join(
        f"## {name}\n\n```yaml\n{text.rstrip()}\n```\n\n{_about_keys(name)}"
        for name, text in _sections().items()
    )


def checks_part() -> str:
    """Return a table of the checks of the images, as Markdown."""
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    numbers = read_yaml("\n".join(lines)).lines
    defaults = ValidationConfig()
    rows = ["| check | what it finds, and its threshold | default |", "|---|---|---|"]
    for name in CHECKS:
        comment = _cell(" ".join(_comment_above(lines, numbers[_VALIDATION, name])))
        check = defaults.check(name)
        default = f"`{check.severity}`, `{check.threshold}`"
        rows.append(f"| `{name}`{{ #{name} }} | {comment} | {default} |")
    return "\n".join(rows)


def _sections() -> dict[str, str]:
    """Return the template's text by top-level key, each with the comment above the key."""
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    numbers = {
        str(path[0]): number
        for path, number in read_yaml("\n".join(lines)).lines.items()
        if len(path) == 1
    }
    begins = [number - 1 - len(_comment_above(lines, number)) for number in numbers.values()]
    spans = zip(numbers, begins, [*begins[1:], len(lines)], strict=True)
    return {name: "\n".join(lines[begin:end]) for name, begin, end in spans}


def _comment_above(lines: list[str], number: int) -> list[str]:
    """Return the lines of the comment right above a line (counted from 1), without the sign."""
    comment: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.lstrip().startswith("#"):
            break
        comment.insert(0, line.lstrip(" #"))
    return comment


def _about_keys(section: str) -> str:
    """Return the keys of a section with what they expect and their defaults, as Markdown."""
    if section == _VALIDATION:
        return "The keys are those of the [data checks](data-checks.md)."
    return "\n".join(["| key | expected | default |", "|---|---|---|", *_rows((section,))])


def _rows(path: KeyPath) -> Iterator[str]:
    """Yield a row of the table for every key at and below a path that takes a value."""
    schema = field_schema(PipelineConfig, path)
    if "properties" in schema and path not in _ONE_ROW:
        for key in known_keys(PipelineConfig, path):
            yield from _rows((*path, key))
        return
    key = dotted(path)
    anchor = f"{{ #{key} }}" if len(path) > 1 else ""  # a heading has that of the section
    expected = _cell(expectation(schema))
    yield f"| `{key}`{anchor} | {expected} | {_default(path, schema)} |"


def _default(path: KeyPath, schema: dict[str, Any]) -> str:
    """Return the default of a key as YAML, or that there is none."""
    if path[-1] in field_schema(PipelineConfig, path[:-1]).get("required", ()):
        return "none: the key is required"
    value = schema["default"]
    is_word = isinstance(value, str) and value.isidentifier()
    return f"`{value if is_word else json.dumps(value)}`"


def _cell(text: str) -> str:
    """Return a text as the cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")
