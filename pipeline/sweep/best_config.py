"""Writes the config with the best values of a search in place."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from contracts.config.key_paths import dotted
from contracts.config.loading.config_paths import relative_at
from contracts.config.loading.loader import config_in
from contracts.config.search import SPACE, NumberRange, SearchConfig
from contracts.system.atomic_files import write_whole
from contracts.system.errors import ConfigError, InputError
from pipeline.yaml_editing import with_values_in_place


def require_target(target: Path, config: Path, search: SearchConfig) -> None:
    """Return if the file can be written after the search.

    Raises:
      InputError: all problems: the file exists, it is in another folder than the config.
      ConfigError: a key of the space cannot be changed without changing others, as with anchors.
    """
    problems = []
    if target.exists():
        problems.append(f"--write: expected nothing at {target}, found a file. Name another.")
    if target.resolve().parent != config.resolve().parent:
        problems.append(
            f"--write: expected a file in the folder of {config}, whose relative paths it keeps, "
            f"received {target}."
        )
    if problems:
        raise InputError(problems)
    spans = search.dimensions().items()
    firsts = {key: span.low if isinstance(span, NumberRange) else span[0] for key, span in spans}
    with_values_in_place(_text(config), firsts)


def write_best_config(
    target: Path, config: Path, best: Mapping[str, JsonValue], overrides: Sequence[str]
) -> str:
    """Write the config with the best values in place, valid and whole, or not at all.

    Paths below the config's folder are written relative to it. A search space that does not fit the
    values becomes empty; the returned sentence says so, otherwise it is empty.

    Args:
      target: the file.
      config: the config of the search.
      best: dotted key -> value.
      overrides: each is `section.key=value`; a run of the file has them too.

    Raises:
      ConfigError: with the values in place it is not valid; all problems of it.
      InputError: the file cannot be written.
    """
    values = {key: relative_at(key, value, config.parent) for key, value in best.items()}
    text, note = with_values_in_place(_text(config), values), ""
    try:
        config_in(text, target, overrides)
    except ConfigError as error:
        text = with_values_in_place(text, {dotted(SPACE): {}})
        note = f"{dotted(SPACE)} is empty in it: some of its values do not go with the best ones."
        if not _is_valid(text, target, overrides):
            raise ConfigError(
                [
                    "--write: expected a valid config with the best values in place, so "
                    f"{target} was not written. Put those that you want in by hand.",
                    *error.problems,
                ]
            ) from error
    try:
        write_whole(target, text)
    except OSError as error:
        raise InputError(f"--write: {target} cannot be written ({error.strerror}).") from error
    return note


def _is_valid(text: str, target: Path, overrides: Sequence[str]) -> bool:
    try:
        config_in(text, target, overrides)
    except ConfigError:
        return False
    return True


def _text(config: Path) -> str:
    return config.read_text(encoding="utf-8-sig")
