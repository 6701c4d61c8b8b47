"""pipeline.yaml -> PipelineConfig, or every problem of it at once with file, line and key."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.config.key_paths import KeyPath, dotted, key_path
from contracts.config.loading.config_paths import with_absolute_paths
from contracts.config.loading.field_problems import Problem, field_problems, received
from contracts.config.loading.nested_values import with_value, without
from contracts.config.loading.yaml_marks import YamlDocument, YamlTextError, read_yaml
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.consistency import inconsistencies
from contracts.config.section import Section
from contracts.system.errors import ConfigError

VARIABLE_PREFIX: Final = "IMGPIPE_"
LEVEL_SEPARATOR: Final = "__"

# Stand in for required keys that are missing or wrong while the other keys are checked.
_STAND_INS: Final[dict[KeyPath, str]] = {("name",): "unnamed", ("data", "root"): os.sep}


@dataclass(frozen=True)
class _Override:
    """A value that replaces the file's."""

    origin: str  # what the user wrote: `--set trainer.epochs=3` or `IMGPIPE_TRAINER__EPOCHS`
    path: KeyPath
    text: str


@dataclass
class _ConfigSource:
    """The merged values and where each of them comes from."""

    file: str
    values: Any
    lines: Mapping[KeyPath, int]
    overrides: list[_Override] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)  # line (0: none) and text

    def add(self, problem: Problem) -> None:
        """Note a problem with the place its key comes from."""
        line, where = self._locate(problem.path)
        self.problems.append((line, f"{where}: {dotted(problem.path)}: {problem.sentence}"))

    def _locate(self, path: KeyPath) -> tuple[int, str]:
        for override in reversed(self.overrides):
            set_here = path[: len(override.path)] == override.path
            made_here = override.path[: len(path)] == path and path not in self.lines
            if set_here or made_here:
                return 0, override.origin
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                line = self.lines[path[:length]]
                return line, f"{self.file}:{line}"
        return 0, self.file


def load_config(
    path: Path,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    *,
    needs_data: bool = True,
) -> PipelineConfig:
    """Return the config that a file, the environment and overrides give, valid as a whole.

    Args:
      path: the YAML file. Relative paths in it, and in overrides, are relative to its folder.
      overrides: `section.key=value` each, the value in YAML; they win over everything.
      environ: `IMGPIPE_SECTION__KEY=value`, the value in YAML; these win over the file.
      needs_data: False where no images are read: files that the config names may be missing.

    Raises:
      ConfigError: all problems at once, a line each: `pipeline.yaml:14: trainer.batch_size:
        expected an integer >= 1, received 0.`
    """
    return config_in(_read_text(path), path, overrides, environ, needs_data=needs_data)


def config_in(
    text: str,
    path: Path,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    *,
    needs_data: bool = True,
) -> PipelineConfig:
    """Return the config in a text, as `load_config` does of the file at `path`."""
    document = _read_document(text, path)
    source = _ConfigSource(str(path), document.value, document.lines)
    source.problems += [(line, f"{path}:{line}: {text}") for line, text in document.problems]
    for override in _from_environment(environ):
        _apply(override, source)
    for override in _from_arguments(overrides, source):
        _apply(override, source)
    source.values = with_absolute_paths(source.values, path.parent)
    wrong = field_problems(PipelineConfig, source.values)
    wrong_paths = {problem.path for problem in wrong}
    checkable = _with_stand_ins(source.values, wrong_paths)
    for inconsistency in inconsistencies(checkable, needs_data=needs_data):
        if wrong_paths.isdisjoint({inconsistency.path, *inconsistency.with_keys}):
            wrong.append(inconsistency)
    for problem in wrong:
        source.add(problem)
    if source.problems:
        raise ConfigError(_in_file_order(source.problems))
    return PipelineConfig.model_validate(source.values)


def _read_text(path: Path) -> str:
    """Return what is in the file.

    Raises:
      ConfigError: there is no such file, or it is no UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: expected a config file, found none. "
            "`imgpipe init` writes one; --config names another."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: expected UTF-8 text, received the byte "
            f"0x{error.object[error.start]:02x}. Save the file as UTF-8."
        ) from error


def _read_document(text: str, path: Path) -> YamlDocument:
    """Return the values, a mapping.

    Raises:
      ConfigError: it is no YAML mapping.
    """
    try:
        document = read_yaml(text)
    except YamlTextError as error:
        raise ConfigError(f"{path}:{error.line}: {error}") from error
    if document.value is None:
        raise ConfigError(
            f"{path}: expected keys, received an empty file. `imgpipe init DIR` writes one "
            "with every key."
        )
    if not isinstance(document.value, dict):
        raise ConfigError(
            f"{path}:1: expected keys such as `name: clothes`, received {received(document.value)}."
        )
    return document


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Override]:
    """Yield the variables that name a key; other programs' variables may share the prefix."""
    for name in sorted(environ):
        if not name.startswith(VARIABLE_PREFIX):
            continue
        path = tuple(name.removeprefix(VARIABLE_PREFIX).lower().split(LEVEL_SEPARATOR))
        if len(path) > 1 or path[0] in _top_level_scalars():
            yield _Override(name, path, environ[name])


def _top_level_scalars() -> set[str]:
    return {
        name
        for name, info in PipelineConfig.model_fields.items()
        if not (isinstance(info.annotation, type) and issubclass(info.annotation, Section))
    }


def _from_arguments(overrides: Iterable[str], source: _ConfigSource) -> Iterator[_Override]:
    for argument in overrides:
        key, equals, text = argument.partition("=")
        origin = f"--set {argument}"
        if key.strip() and equals:
            yield _Override(origin, key_path(key.strip()), text)
        else:
            problem = f"{origin}: expected section.key=value, received {received(argument)}."
            source.problems.append((0, problem))


def _apply(override: _Override, source: _ConfigSource) -> None:
    """Put the override's value in place of the one that stands there."""
    prefix = f"{override.origin}: {dotted(override.path)}"
    try:
        document = read_yaml(override.text)
    except YamlTextError as error:
        source.problems.append((0, f"{prefix}: {error}"))
        return
    source.problems += [(0, f"{prefix}: {text}") for _, text in document.problems]
    above = source.values
    for length, part in enumerate(override.path[:-1], start=1):
        above = above.get(part)
        if above is None:
            break
        if not isinstance(above, dict):
            section = dotted(override.path[:length])
            problem = f"{section} is no section to set a key in: it is {received(above)}."
            source.problems.append((0, f"{prefix}: {problem}"))
            return
    source.values = with_value(source.values, override.path, document.value)
    source.overrides.append(override)


def _with_stand_ins(values: Any, wrong: Iterable[KeyPath]) -> PipelineConfig:
    """Return the config with defaults or stand-ins for the keys that are wrong."""
    for path in wrong:
        values = without(values, path)
    for path, stand_in in _STAND_INS.items():
        if path in wrong or path[:1] in wrong:
            values = with_value(values, path, stand_in)
    return PipelineConfig.model_validate(values)


def _in_file_order(problems: list[tuple[int, str]]) -> list[str]:
    return [text for _, text in sorted(problems, key=lambda problem: problem[0] or float("inf"))]
