"""What the Markdown files say that can be tried: their YAML, their Python and their links."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
PAGES_OF_GITHUB = sorted(ROOT.glob("*.md"))
OWN_CODE = ROOT / "docs" / "how-to" / "own-code.md"


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _yaml_blocks() -> Iterator[Any]:
    for page in PAGES:
        for number, block in enumerate(_blocks(page, "yaml"), 1):
            yield pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("block", _yaml_blocks())
def test_every_example_of_the_config_is_valid(block: str, tmp_path: Path) -> None:
    given = yaml.safe_load(block)
    assert set(given) <= set(PipelineConfig.model_fields)
    for code in _blocks(OWN_CODE, "python"):
        (tmp_path / "net.py").write_text(code)
    rest = {"name": "a", "data": {"root": "photos"}}
    lines = [f"{key}: {value}" for key, value in rest.items() if key not in given]
    if "root" not in given.get("data", {"root": ""}):
        block = block.replace("data:\n", "data:\n  root: photos\n", 1)
    config = tmp_path / "pipeline.yaml"
    config.write_text("\n".join([block, *lines]))

    loaded = load_config(config, [], needs_data=False)

    assert set(given) <= loaded.model_fields_set


def test_every_example_in_python_is_python() -> None:
    blocks = [block for page in PAGES for block in _blocks(page, "python")]

    assert blocks
    assert all(ast.parse(block).body for block in blocks)


@pytest.mark.parametrize("page", PAGES_OF_GITHUB, ids=lambda page: page.name)
def test_every_link_of_a_page_outside_of_the_documentation_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))

    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert missing == []
