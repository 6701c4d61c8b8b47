"""`imgpipe init --recipe` writes one commented config that a run takes."""

from pathlib import Path

import pytest

from contracts.config.loading.loader import load_config
from contracts.config.loading.yaml_marks import read_yaml
from pipeline.cli import main
from pipeline.commands.init import TEMPLATE
from pipeline.recipes.catalogue import FOLDER, NAMES, read_recipe


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    return tmp_path


def merged(template: dict, values: dict) -> dict:
    both = dict(template)
    for key, value in values.items():
        is_section = isinstance(value, dict) and isinstance(template[key], dict)
        both[key] = merged(template[key], value) if is_section and template[key] else value
    return both


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_the_template_with_other_values_and_a_comment(name, folder, capsys):
    assert main(["init", "--recipe", name]) == 0
    assert capsys.readouterr().out.rstrip().endswith("imgpipe check")
    text, template = (folder / "pipeline.yaml").read_text(), TEMPLATE.read_text()
    config = load_config(Path("pipeline.yaml"), environ={})
    assert config.name == "my_model"
    given = read_yaml((FOLDER / f"{name}.yaml").read_text()).value
    assert read_yaml(text).value == merged(read_yaml(template).value, given)
    head = read_recipe(name).comment
    assert text.startswith(head)
    for about in (f"# {name}: ", "# For: ", "# Needs: ", "# Measured: "):
        assert about in head
    assert comments(text.removeprefix(head)) == comments(template)
    new = set(text.splitlines()) - set(template.splitlines())
    assert max(map(len, new)) <= 100


def test_every_file_is_a_recipe_that_can_be_named():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NAMES)


def test_an_unknown_recipe_is_refused_with_those_there_are(folder, capsys):
    assert main(["init", "--recipe", "few_foto"]) == 2
    assert capsys.readouterr().err == (
        "imgpipe: --recipe: expected one of quick, few_photos, transfer, convnext, received "
        "'few_foto'. Did you mean few_photos?\n"
    )
    assert not (folder / "pipeline.yaml").exists()


def test_the_demo_has_no_other_recipe(folder, capsys):
    assert main(["init", "--demo", "--recipe", "quick"]) == 2
    assert "--recipe: expected one of --demo and --recipe" in capsys.readouterr().err
    assert not (folder / "pipeline.yaml").exists()


def test_the_help_lists_the_recipes(capsys):
    with pytest.raises(SystemExit):
        main(["init", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    for name in NAMES:
        assert f"{name}: {read_recipe(name).description}" in printed
