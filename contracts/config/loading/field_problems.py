"""Values that a config section refuses -> a sentence each."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.config.key_paths import KeyPath, dotted
from contracts.config.loading.config_schema import expectation, field_schema, key_paths, known_keys
from contracts.config.loading.removed_keys import removed_key_problem
from contracts.config.section import Section
from contracts.system.errors import did_you_mean

RECEIVED_CHARACTERS = 60
_NOTHING = object()


@dataclass(frozen=True)
class Problem:
    """What is wrong with the key at `path`: "expected ..., received ... ." and the next step."""

    path: KeyPath
    sentence: str


def field_problems(section: type[Section], values: Any, prefix: KeyPath = ()) -> list[Problem]:
    """Return every unknown key, missing key and wrong value, none where the section accepts.

    Args:
      section: what the values are checked against, by the names that the file uses.
      values: what was read, with text as keys.
      prefix: where the section stands; problems carry it in front of their paths.
    """
    try:
        section.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        found = error.errors(include_url=False)
        for details in found:
            details["loc"] = _place(details, values)
        sentences: dict[KeyPath, str] = {}
        for details in found:
            if not _is_repetition(details, found):
                # The alternatives of a key say the same, but for the next step.
                sentence = _sentence(section, details, prefix)
                path = prefix + details["loc"]
                sentences[path] = max(sentences.get(path, ""), sentence, key=len)
        return [Problem(path, sentence) for path, sentence in sentences.items()]
    return []


def received(value: Any) -> str:
    """Return a value as the object of "received", shortened."""
    if isinstance(value, str):
        text = repr(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= RECEIVED_CHARACTERS else f"{text[:RECEIVED_CHARACTERS]}..."


def _place(details: ErrorDetails, values: Any) -> KeyPath:
    """Return the path of an error without the names that pydantic gives a key's alternatives."""
    *above, last = details["loc"] or ("",)
    place: list[int | str] = []
    for part in (*above, last):
        below = _below(values, part)
        if below is not _NOTHING:
            values = below
            place.append(part)
    if details["type"] in ("missing", "extra_forbidden") and place[-1:] != [last]:
        place.append(last)
    return tuple(place)


def _below(values: Any, part: int | str) -> Any:
    if isinstance(values, dict):
        return values.get(part, _NOTHING)
    is_item = isinstance(values, list | tuple) and isinstance(part, int) and part < len(values)
    return values[part] if is_item else _NOTHING


def _is_repetition(details: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Tell whether an error only repeats an error of a value below it."""
    depth = len(details["loc"])
    return any(
        len(other["loc"]) > depth and other["loc"][:depth] == details["loc"] for other in found
    )


def _sentence(section: type[Section], details: ErrorDetails, prefix: KeyPath) -> str:
    path = details["loc"]
    if details["type"] == "extra_forbidden":
        return removed_key_problem((*prefix, *path)) or _unknown_key(section, path, prefix)
    schema = field_schema(section, path)
    if details["type"] == "missing":
        meaning = f" ({schema['description']})" if schema.get("format") else ""
        return f"expected {expectation(schema)}{meaning}, received nothing."
    value = details["input"]
    next_step = ""
    if details["type"] == "string_type" and isinstance(value, int | float):
        next_step = " Put it in quotes."
    elif details["type"] in ("int_type", "float_type") and _is_number(value):
        next_step = " Remove the quotes."
    elif details["type"] == "too_short" and details["ctx"]["min_length"] == 1:
        next_step = " Give at least one item."
    elif details["type"] == "model_type" and value is None:
        next_step = " Give it a key, or remove the line to have the defaults."
    return f"expected {expectation(schema)}, received {received(value)}.{next_step}"


def _unknown_key(section: type[Section], path: KeyPath, prefix: KeyPath) -> str:
    known = known_keys(section, path[:-1])
    key = str(path[-1])
    elsewhere = [dotted(prefix + other) for other in key_paths(section) if other[-1] == key]
    hint = did_you_mean(key, known)
    if not hint and elsewhere:
        hint = f"did you mean {' or '.join(f'`{other}`' for other in elsewhere)}?"
    return f"unknown key; {hint or 'known keys: ' + ', '.join(known) + '.'}"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)
