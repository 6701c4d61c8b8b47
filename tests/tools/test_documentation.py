"""The documentation as it is built: true to the code, and readable without a network."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from contracts.config.key_paths import dotted
from contracts.config.loading.config_schema import key_paths
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.validation import CHECKS
from contracts.images.refusal import Reason
from pipeline.cli import COMMANDS
from pipeline.summary import Summary

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "components").glob("*/component.py"))
# What a browser fetches by itself to show a page.
FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """The anchors of a page, what it fetches, and the first cells of the rows of its tables."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.fetched: list[str] = []
        self.keys: list[str] = []
        self._cell = -1
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors.add(given.get("id") or "")
        address = given.get(FETCHED.get(tag, "")) or ""
        if address and given.get("rel") not in ("canonical", "prev", "next"):
            self.fetched.append(address)
        if tag in ("tr", "td"):
            self._cell = -1 if tag == "tr" else self._cell + 1

    def handle_data(self, data: str) -> None:
        if self._cell == 0 and data.strip(" ,\n"):
            self.keys.append(data.strip())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_no_page_fetches_anything_from_a_network(site: Path) -> None:
    fetched = {
        str(page.relative_to(site)): Page(page).fetched for page in sorted(site.rglob("*.html"))
    }

    assert "index.html" in fetched
    assert all("assets/stylesheets/" in str(addresses) for addresses in fetched.values())
    remote = [one for addresses in fetched.values() for one in addresses if "//" in one]
    assert remote == []


def test_every_picture_is_there(site: Path) -> None:
    page = site / "explanation" / "architecture.html"

    pictures = [address for address in Page(page).fetched if address.endswith(".svg")]

    assert len(pictures) == 4
    assert all((page.parent / picture).is_file() for picture in pictures)


def test_every_command_shows_its_help(site: Path) -> None:
    page = Page(site / "reference" / "commands.html")

    names = [*(f"imgpipe {command.name}" for command in COMMANDS), "imgpipe-train"]
    assert {name.replace(" ", "-") for name in names} <= page.anchors
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert text.count("usage: imgpipe") == len(names)


def test_every_key_of_the_config_has_an_anchor(site: Path) -> None:
    page = Page(site / "reference" / "configuration.html")

    paths = [dotted(path) for path in key_paths(PipelineConfig)]
    listed_elsewhere = re.compile(r"(validation|augmentation\.operations)\.")
    leaves = [
        path
        for path in paths
        if not any(other.startswith(f"{path}.") for other in paths)
        and not listed_elsewhere.match(path)
    ]
    assert "trainer.fine_tuning.frozen_epochs" in leaves
    assert [path for path in leaves if path not in page.anchors] == []


def test_every_check_and_every_reason_of_a_quarantine_is_listed(site: Path) -> None:
    page = Page(site / "reference" / "data-checks.html")

    assert set(CHECKS) <= page.anchors
    assert set(get_args(Reason)) <= set(page.keys)


def test_the_summary_page_has_each_key_of_summary_json_and_no_other(site: Path) -> None:
    page = Page(site / "reference" / "summary.html")

    keys = [re.sub(r"<\w+>", "<>", key) for key in page.keys]
    assert sorted(keys) == sorted(_summary_keys())


@pytest.mark.parametrize("name", sorted(path.parent.name for path in SPECS))
def test_the_artifacts_page_has_every_output_of_every_component(site: Path, name: str) -> None:
    module = importlib.import_module(f"components.{name}.component")
    text = (site / "reference" / "artifacts.html").read_text(encoding="utf-8")

    components = [
        one
        for one in vars(module).values()
        if hasattr(one, "SPEC_CLASS") and one.__module__ == module.__name__
    ]
    listed = re.findall(r"<td>(\w+)</td>\s*<td><code>(\w+)</code></td>", text)
    assert len(components) == 1
    outputs = set(components[0].SPEC_CLASS.OUTPUTS)
    assert {output for owner, output in listed if owner == components[0].__name__} == outputs


def test_a_part_that_nothing_generates_is_refused() -> None:
    from mkdocs.exceptions import PluginError
    from mkdocs.structure.files import File

    from tools.reference.hook import on_page_markdown

    page = type("Page", (), {"file": File("reference/a.md", "docs", "site", True)})()
    with pytest.raises(
        PluginError, match=r"reference/a\.md: expected one of .* received comands\."
    ):
        on_page_markdown("<!-- generated: comands -->", page)


def _summary_keys() -> Iterator[str]:
    """Yield each key that holds a value, `<>` for any name and `[]` for the items of a list."""
    schema = Summary.model_json_schema()
    yield from _values(schema, schema, "")


def _values(root: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    for option in (schema, *schema.get("anyOf", ())):
        if "$ref" in option:
            option = root["$defs"][option["$ref"].rpartition("/")[2]]
        below = {f"{path}.{key}": value for key, value in option.get("properties", {}).items()}
        if option.get("additionalProperties"):
            below = {f"{path}.<>": option["additionalProperties"]}
        if option.get("type") == "array":
            below = {f"{path}[]": option.get("items") or option["prefixItems"][0]}
        if below:
            for name, value in below.items():
                yield from _values(root, value, name)
            return
    yield path.removeprefix(".")
