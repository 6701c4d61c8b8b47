"""The JSON schema of pipeline.yaml: for editors, and for the sentences about wrong values."""

import functools
import re
from collections.abc import Iterator
from typing import Any, Final

from contracts.config.key_paths import KeyPath, dotted
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.search import AUGMENTER_KEYS, SECTIONS, NumberRange, SearchConfig
from contracts.config.section import Section
from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.model_options import MODEL_OPTIONS
from contracts.config.trainer.users_code import REFERENCE_PATTERN

JsonSchema = dict[str, Any]

_RANGES: Final = (
    ("minimum", ">="),
    ("exclusiveMinimum", ">"),
    ("maximum", "<="),
    ("exclusiveMaximum", "<"),
)
_TYPES: Final = {
    "integer": "an integer",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "a mapping",
}


def config_schema() -> JsonSchema:
    """Return the JSON schema (draft 2020-12) that accepts what `load_config` accepts of keys.

    Unlike the loader, it checks neither files nor keys that contradict one another.
    """
    schema = PipelineConfig.model_json_schema()
    definitions = schema["$defs"]
    cases = [_options_case(options) for options in dict.fromkeys(MODEL_OPTIONS.values())]
    for options in dict.fromkeys(MODEL_OPTIONS.values()):
        definitions[options.__name__] = options.model_json_schema()
    trainer = definitions[TrainerConfig.__name__]
    trainer["allOf"] = cases
    trainer["properties"]["model"] |= {
        "anyOf": [{"enum": list(MODEL_OPTIONS)}, {"pattern": REFERENCE_PATTERN}]
    }
    definitions[NumberRange.__name__] = NumberRange.model_json_schema()
    definitions[SearchConfig.__name__]["properties"]["space"] |= _space(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "pipeline.yaml of imgpipe",
    }


def _options_case(options: type[Section]) -> JsonSchema:
    """Return the condition that gives `model_options` the keys of the chosen model."""
    models = [name for name, section in MODEL_OPTIONS.items() if section is options]
    chosen: JsonSchema = {"properties": {"model": {"enum": models}}}
    if TrainerConfig.model_fields["model"].default not in models:
        chosen["required"] = ["model"]
    reference = {"$ref": f"#/$defs/{options.__name__}"}
    return {"if": chosen, "then": {"properties": {"model_options": reference}}}


def _space(definitions: JsonSchema) -> JsonSchema:
    """Return the schema of a search space: each key that can vary, with the values it takes."""
    exact: JsonSchema = {}
    below: JsonSchema = {}
    for name in SECTIONS:
        section: Any = PipelineConfig.model_fields[name].annotation
        for path, reference, value in _keys(definitions, section.__name__, (name,)):
            if path[1] in AUGMENTER_KEYS:
                continue
            exact[dotted(path)] = _dimension(reference)
            for option in (value, *value.get("anyOf", ())):
                if "additionalProperties" in option:  # a mapping with any keys
                    pattern = rf"^{re.escape(dotted(path))}\."
                    below[pattern] = _dimension(option["additionalProperties"])
    return {"properties": exact, "patternProperties": below, "additionalProperties": False}


def _keys(
    definitions: JsonSchema, name: str, path: KeyPath
) -> Iterator[tuple[KeyPath, JsonSchema, JsonSchema]]:
    """Yield each key below a definition: path, reference to the schema of its value, schema."""
    for key, value in definitions[name]["properties"].items():
        yield (*path, key), {"$ref": f"#/$defs/{name}/properties/{key}"}, value
        for option in (value, *value.get("anyOf", ())):
            if "$ref" in option:
                inner = option["$ref"].rpartition("/")[2]
                if "properties" in definitions[inner]:
                    yield from _keys(definitions, inner, (*path, key))


def _dimension(value: JsonSchema) -> JsonSchema:
    """Return the schema of a key in a search space: values, or a range of numbers."""
    span = {"$ref": f"#/$defs/{NumberRange.__name__}", "properties": {"low": value, "high": value}}
    return {"anyOf": [{"type": "array", "items": value, "minItems": 2, "uniqueItems": True}, span]}


def field_schema(section: type[Section], path: KeyPath) -> JsonSchema:
    """Return the schema of the key at `path` below a section; of the last known one above it."""
    root = _schema_of(section)
    found = root
    for part in path:
        below = _items(found) if isinstance(part, int) else _value(found, part)
        if below is None:
            break
        found = _resolved(below, root)
    return found


def _resolved(schema: JsonSchema, root: JsonSchema) -> JsonSchema:
    """Return a schema with what it refers to; a section that may be null has its keys too."""
    if "$ref" in schema:
        return {**root["$defs"][schema["$ref"].rpartition("/")[2]], **schema}
    if not any("$ref" in option for option in schema.get("anyOf", ())):
        return schema
    options = [_resolved(option, root) for option in schema["anyOf"]]
    keys: JsonSchema = next(
        (option["properties"] for option in options if "properties" in option), {}
    )
    return {**schema, "anyOf": options, "properties": keys}


@functools.cache
def _schema_of(section: type[Section]) -> JsonSchema:
    """Return the schema of a whole section, made once; for reading only."""
    return section.model_json_schema()


def _items(schema: JsonSchema) -> JsonSchema | None:
    """Return what each item of a list or pair has to be, also of one that may be null."""
    for option in (schema, *schema.get("anyOf", ())):
        if "prefixItems" in option:
            pair: JsonSchema = option["prefixItems"][0]  # the others are alike
            return pair
        if "items" in option:
            items: JsonSchema = option["items"]
            return items
    return None


def _value(schema: JsonSchema, key: str) -> JsonSchema | None:
    """Return what the value of a key has to be, also of a mapping with any keys."""
    for option in (schema, *schema.get("anyOf", ())):
        below = option.get("properties", {}).get(key, option.get("additionalProperties"))
        if isinstance(below, dict):
            return below
    return None


def known_keys(section: type[Section], path: KeyPath) -> list[str]:
    """Return the keys that the section at `path` takes."""
    return list(field_schema(section, path).get("properties", ()))


def key_paths(section: type[Section], path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every key of a section and of the sections in it."""
    for key in known_keys(section, path):
        yield (*path, key)
        yield from key_paths(section, (*path, key))


def expectation(schema: JsonSchema) -> str:
    """Return what a schema accepts as the object of "expected": `an integer >= 1 or null`."""
    if "anyOf" in schema:
        return " or ".join(expectation(option) for option in schema["anyOf"])
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if "const" in schema:
        return f"{schema['const']}"
    if schema["type"] == "array":
        is_fixed = schema.get("minItems") == schema.get("maxItems") is not None
        of = f" of {schema['minItems']}" if is_fixed else ""
        items = _items(schema)
        assert items is not None  # our sections have no list of anything
        return f"a list{of}, each item {expectation(items)}"
    if "properties" in schema:
        return f"the keys {', '.join(schema['properties'])}"
    if schema.get("format") == "path":
        return "a path"
    if "pattern" in schema:
        return f"{schema.get('description', schema['pattern'])}"
    if "minimum" in schema and "maximum" in schema:
        return f"{_TYPES[schema['type']]} from {schema['minimum']} to {schema['maximum']}"
    limits = [f"{sign} {schema[name]}" for name, sign in _RANGES if name in schema]
    return " ".join([_TYPES[schema["type"]], " and ".join(limits)]).rstrip()
