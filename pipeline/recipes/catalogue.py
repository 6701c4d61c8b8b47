"""Finds the recipes and puts them into the template."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from contracts.config.key_paths import KeyPath, dotted
from contracts.config.loading.yaml_marks import read_yaml
from pipeline.yaml_editing import with_values_in_place

FOLDER: Final = Path(__file__).parent

# From the least to the most time that a training takes.
NAMES: Final = ("quick", "few_photos", "transfer", "convnext")


@dataclass(frozen=True)
class ConfigRecipe:
    """Values for keys of the template, and the comment that explains them."""

    name: str
    text: str

    @property
    def comment(self) -> str:
        """What the recipe is for, what it needs and what was measured; lines that begin with #."""
        lines = self.text.splitlines(keepends=True)
        return "".join(lines[: next(n for n, line in enumerate(lines) if line[0] != "#")])

    @property
    def description(self) -> str:
        """The first sentence of the comment, without the name."""
        return self.comment.splitlines()[0].removeprefix(f"# {self.name}: ").removesuffix(".")

    def put_into(self, template: str) -> str:
        """Return the template with the recipe's values, below the recipe's comment."""
        values = dict(_leaves(read_yaml(self.text).value, read_yaml(template).value))
        return f"{self.comment}\n{with_values_in_place(template, values)}"


def read_recipe(name: str) -> ConfigRecipe:
    """Return the recipe with one of NAMES."""
    return ConfigRecipe(name, (FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def _leaves(
    values: JsonValue, template: JsonValue, path: KeyPath = ()
) -> Iterator[tuple[str, JsonValue]]:
    """Yield dotted key and value of each key that the template gives a value of its own."""
    if isinstance(values, dict) and isinstance(template, dict) and template:
        for key, value in values.items():
            yield from _leaves(value, template[key], (*path, key))
    else:
        yield dotted(path), values
