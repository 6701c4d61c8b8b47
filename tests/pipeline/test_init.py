"""`imgpipe init` writes a file that says everything, and images that a first run can use."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contracts.config.augmentation.operations import OPERATION_SECTIONS
from contracts.config.loading.loader import load_config
from contracts.config.loading.yaml_marks import read_yaml
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.trainer.model_options import MODEL_OPTIONS, OWN_MODELS
from pipeline.cli import main
from pipeline.commands import init


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert main(["init", str(folder), "--demo"]) == 0
    return folder


def leaves(values: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield from (
            leaves(value, (*path, key)) if value and isinstance(value, dict) else [(*path, key)]
        )


def test_the_template_is_the_repositorys_own_file():
    repository = Path(init.__file__).parents[2]
    assert init.TEMPLATE.read_bytes() == (repository / "pipeline.yaml").read_bytes()
    assert init.TEMPLATE.resolve() == repository / "pipeline.yaml"


def test_the_template_has_every_key_at_its_default():
    template = read_yaml(init.TEMPLATE.read_text()).value
    config = PipelineConfig.model_validate(template)
    defaults = PipelineConfig(name=config.name, data={"root": config.data.root})
    assert config == defaults
    assert set(leaves(template)) == set(leaves(defaults.model_dump(mode="json")))


def test_every_key_of_the_template_has_a_comment():
    text = init.TEMPLATE.read_text()
    document = read_yaml(text)
    lines = text.splitlines()
    for path in leaves(document.value):
        above = lines[document.lines[path] - 2]
        if path[:-1] == ("data", "splits"):
            continue  # the comment is at `splits`
        assert above.strip().startswith("#"), f"no comment above {'.'.join(path)}"


def test_the_template_names_every_model_and_option():
    text = init.TEMPLATE.read_text()
    options = {name for section in MODEL_OPTIONS.values() for name in section.model_fields}
    for name in (*OWN_MODELS, *options):
        assert re.search(rf"\b{name}\b", text), name
    named = re.findall(r"\b(?:ResNet|EfficientNet|MobileNet)\w+", text)
    assert named
    assert set(named) <= set(MODEL_OPTIONS)


def test_the_template_tells_every_operation_and_its_usual_strength():
    text = " ".join(init.TEMPLATE.read_text().replace("\n  #", " ").split())
    for name, section in OPERATION_SECTIONS.items():
        assert re.search(rf"\b{name}\b", text), name
        if section.USUAL_RANGE:
            low, high = section.USUAL_RANGE
            assert f"[{low:g}, {high:g}]" in text, name


def test_a_config_is_written_and_the_next_command_named(folder, capsys):
    assert main(["init"]) == 0
    assert (folder / "pipeline.yaml").read_bytes() == init.TEMPLATE.read_bytes()
    printed = capsys.readouterr().out
    assert "Wrote pipeline.yaml." in printed
    assert printed.rstrip().endswith("imgpipe check")
    assert list(folder.iterdir()) == [folder / "pipeline.yaml"]
    (folder / "photos").mkdir()
    assert load_config(Path("pipeline.yaml"), environ={}).name == "my_model"


def test_folders_are_made(folder, capsys):
    assert main(["init", "a b/c"]) == 0
    assert (folder / "a b" / "c" / "pipeline.yaml").is_file()
    assert "check --config 'a b/c/pipeline.yaml'" in capsys.readouterr().out


@pytest.mark.parametrize("demo_option", [[], ["--demo"]])
def test_nothing_is_overwritten(folder, capsys, demo_option):
    for name in ("pipeline.yaml", "digits"):
        (folder / name).write_text("mine")
    assert main(["init", *demo_option]) == 2
    said = capsys.readouterr().err
    assert "imgpipe: pipeline.yaml: expected nothing there" in said
    assert ("imgpipe: digits: expected nothing there" in said) == bool(demo_option)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "pipeline.yaml": "mine",
        "digits": "mine",
    }


def test_a_folder_that_cannot_be_made(folder, capsys):
    (folder / "file").touch()
    assert main(["init", "file"]) == 2
    assert main(["init", "file/below"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].startswith("imgpipe: file: cannot be written (File exists).")


def test_a_failure_leaves_nothing_half_written(folder, monkeypatch, capsys):
    saved: list[Path] = []

    def save(image, path, *args, **kwargs) -> None:
        saved.append(path)
        if len(saved) == 100:
            raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Image.Image, "save", save)
    assert main(["init", "--demo"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_the_demo_is_scikit_learns_digits(demo):
    files = sorted((demo / "digits").rglob("*.png"))
    by_class = Counter(path.parent.name for path in files)
    assert len(files) == 1797
    assert set(by_class) == set("0123456789")
    assert min(by_class.values()) == 174
    with Image.open(demo / "digits" / "0" / "0000.png") as image:
        assert (image.mode, image.size) == ("L", (32, 32))
        pixels = np.asarray(image)
    assert pixels.max() == round(15 / 16 * 255)
    np.testing.assert_array_equal(pixels[::4, ::4], pixels[3::4, 3::4])
    assert sorted(path.name for path in demo.iterdir()) == ["digits", "pipeline.yaml"]
    assert (demo / "digits").stat().st_mode & 0o555 == 0o555


def test_the_demos_bytes_are_the_same_every_time(demo, folder):
    assert main(["init", "again", "--demo"]) == 0
    for path in demo.rglob("*.*"):
        assert path.read_bytes() == (folder / "again" / path.relative_to(demo)).read_bytes()


def test_the_demos_config_fits_the_demo(demo):
    config = load_config(demo / "pipeline.yaml", environ={})
    assert (config.name, config.data.root) == ("digits", demo / "digits")
    assert config.preprocessing.image_size_px == 32
    assert config.augmentation.preset == "none"
    assert config.evaluation.min_accuracy == 0.9
    comments = [line for line in init.TEMPLATE.read_text().splitlines() if "#" in line]
    assert [
        line for line in (demo / "pipeline.yaml").read_text().splitlines() if "#" in line
    ] == comments
