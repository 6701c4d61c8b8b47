"""`imgpipe check` shows how a run would read the config and the data."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contracts.config.pipeline_config import PipelineConfig
from contracts.environment.optional_libraries import WANDB
from contracts.statistics.wilson import wilson_interval
from contracts.system.errors import ConfigError
from pipeline.cli import main
from trainer.users.users_code import load_users_code


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Return the working directory, with a config of the images in photos/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "pipeline.yaml").write_text("name: toys\ndata: {root: photos}\n")
    return tmp_path


def fill(folder: Path, count: int) -> None:
    """Put so many files into a folder; nobody opens them."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:05}.jpg").touch()


def rows(printed: str) -> dict[str, list[str]]:
    """Return the printed lines by their first word."""
    return {words[0]: words[1:] for line in printed.splitlines() if (words := line.split())}


def test_class_folders(project, capsys):
    fill(project / "photos" / "car", 12)
    fill(project / "photos" / "ball", 5)
    assert main(["check"]) == 0
    printed = capsys.readouterr().out
    table = rows(printed)
    assert table["class"] == ["unsplit"]
    assert (table["ball"], table["car"], table["all"]) == (["5"], ["12"], ["classes", "17"])
    assert "The 2 top folders are classes" in printed
    assert "validation and test will be cut" in printed
    assert "(train 8 : validation 1 : test 1)" in printed
    assert printed.rstrip().splitlines()[-1].endswith("imgpipe run")


def test_split_folders(project, capsys):
    for split, count in {"train": 6, "val": 2, "test": 1}.items():
        for label in ("car", "ball"):
            fill(project / "photos" / split / label, count)
    assert main(["check"]) == 0
    table = rows(capsys.readouterr().out)
    assert table["class"] == ["train", "validation", "test"]
    assert table["car"] == table["ball"] == ["6", "2", "1"]


@pytest.mark.parametrize(
    ("brought", "images", "has"),
    [
        ({"train": 81, "val": 10}, 18, "will have about 18 images"),
        ({"train": 80, "val": 10, "test": 13}, 26, "has 26 images"),
        ({}, 20, "will have about 20 images"),
    ],
)
def test_few_test_images_are_warned_of(project, capsys, brought, images, has):
    for label in ("car", "ball"):
        for split, count in (brought or {".": 100}).items():
            fill(project / "photos" / split / label, count)
    assert main(["check"]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "test split" in one]
    low, high = wilson_interval(0.9, images)
    assert line == (
        f"The test split {has}: an accuracy of 0.90 stands for anything from {low:.2f} to "
        f"{high:.2f} (95 %). To know it to within 0.05 takes about 140 images. Add test images, "
        "or raise data.splits.test where the split is cut."
    )
    assert main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == [line]


def test_enough_test_images_are_no_warning(project, capsys):
    for label in ("car", "ball"):
        fill(project / "photos" / label, 900)
    assert main(["check"]) == 0
    assert "test split" not in capsys.readouterr().out


def test_a_csv(project, capsys):
    fill(project / "images", 8)
    lines = [f"images/{n:05}.jpg,{'car' if n % 2 else 'ball'}" for n in range(8)]
    (project / "toys.csv").write_text("\n".join(["path,label", *lines, "gone.jpg,car"]))
    assert main(["check", "--set", "data.root=toys.csv"]) == 0
    printed = capsys.readouterr().out
    assert rows(printed)["all"] == ["classes", "8"]
    assert "Skipped, no such file (1): gone.jpg. Correct the paths of the table." in printed
    assert "imgpipe run --set data.root=toys.csv" in printed


def test_what_is_left_out_is_printed(project, capsys):
    for label in ("car", "ball"):
        fill(project / "photos" / label, 4)
    (project / "photos" / "doll").mkdir()
    (project / "photos" / "loose.jpg").touch()
    (project / "photos" / "car" / ".DS_Store").touch()
    assert main(["check"]) == 0
    printed = capsys.readouterr().out
    assert "Empty class folders, left out (1): doll" in printed
    assert (
        "Skipped, outside class folder (1): loose.jpg. "
        "Sort the images among them into class folders to use them."
    ) in printed
    assert "Skipped, hidden (1): car/.DS_Store" in printed


def test_a_repository_with_splits_is_fit_for_a_run(project, capsys):
    photos = project / "photos"
    for split in ("Training", "dev"):
        for label in ("car", "ball"):
            fill(photos / split / label, 4)
    fill(photos / "test", 2)
    for name in ("logs/log.txt", "__pycache__/a.pyc", "a.py", "b.py"):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_text("x = 1")
    assert main(["check"]) == 0
    printed = capsys.readouterr().out
    assert "test will be cut from the training images" in printed
    assert "Skipped, folder without images (2): __pycache__/a.pyc, logs/log.txt" in printed
    assert "Skipped, outside class folder (4): a.py, b.py, test/00000.jpg, test/0" in printed
    assert main(["check", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["description"] == (
        "The top folders are splits: Training (train), dev (validation), test. "
        "The 2 folders below them are classes. test has no class folders, so that it brings no "
        "test split: its images are not used. Sort them into test/<class>/ to use them. "
        "Folders without images: __pycache__, logs."
    )
    assert {one["path"]: one["reason"] for one in data["skipped"]} == {
        **dict.fromkeys(["__pycache__/a.pyc", "logs/log.txt"], "folder_without_images"),
        **dict.fromkeys(
            ["a.py", "b.py", "test/00000.jpg", "test/00001.jpg"], "outside_class_folder"
        ),
    }


def test_of_many_classes_the_largest_and_the_smallest(project, capsys):
    for number in range(30):
        fill(project / "photos" / f"class{number:02}", number + 4)
    assert main(["check"]) == 0
    table = rows(capsys.readouterr().out)
    assert {"class29", "class20", "class09", "class00"} <= set(table)
    assert not {"class19", "class10"} & set(table)
    assert table["..."] == ["10", "more"]
    assert table["all"] == ["classes", str(sum(range(4, 34)))]


def test_json(project, capsys):
    for label in ("car", "bäll"):
        fill(project / "photos" / label, 4)
    (project / "photos" / "loose.jpg").touch()
    assert main(["check", "--json", "--set", "seed=3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["name"] == "toys"
    assert found["data"]["layout"] == "classes"
    assert found["data"]["files"] == 8
    assert found["data"]["classes"] == {"bäll": {"unsplit": 4}, "car": {"unsplit": 4}}
    assert found["data"]["empty_classes"] == []
    assert [skipped["path"] for skipped in found["data"]["skipped"]] == ["loose.jpg"]
    assert PipelineConfig.model_validate_json(json.dumps(found["config"])).seed == 3


def test_names_that_are_no_text_or_no_markup(project, capsys):
    for label in ("[red]car", ":smile:"):
        fill(project / "photos" / label, 4)
    Path(b"photos/\xff.jpg".decode("utf-8", "surrogateescape")).touch()
    assert main(["check"]) == 0
    printed = capsys.readouterr().out
    assert "[red]car" in printed
    assert ":smile:" in printed
    assert r"\xff.jpg" in printed


def test_the_schema_needs_no_config(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--schema"]) == 0
    assert "trainer" in json.loads(capsys.readouterr().out)["properties"]


def test_all_problems_of_the_config(project, capsys):
    assert main(["check", "--set", "seed=x", "--set", "data.root=gone"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 2


NEEDED = {
    "tracking.wandb.enabled=true": ("tracking.wandb.enabled", "wandb"),
    "augmentation.backend=albumentations": ("augmentation.backend", "albumentations"),
    "validation.likely_mislabelled.severity=warn": ("validation.likely_mislabelled", "cleanlab"),
}


def test_libraries_that_the_config_needs_and_that_are_not_installed(project, capsys, monkeypatch):
    fill(project / "photos" / "car", 12)
    fill(project / "photos" / "ball", 12)
    needs_them = ["check", *(word for one in NEEDED for word in ("--set", one))]
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *names: names)
    assert main(needs_them) == 0
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *names: ())
    assert main(["check"]) == 0
    assert main(needs_them) == 2
    said = capsys.readouterr().err
    for key, library in NEEDED.values():
        assert f"{key}: expected the package {library}, which is not installed. Install it" in said
        assert f"pip install 'imgpipe[{library}]'" in said


def test_a_folder_of_a_librarys_name_is_not_the_library(project, monkeypatch):
    (project / "wandb").mkdir()  # as wandb itself makes one
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setattr("importlib.metadata.distributions", lambda **_: iter(()))
    assert not WANDB.is_installed


@pytest.mark.parametrize("kind", ["folder", "table"])
def test_classes_that_the_data_does_not_have(project, capsys, kind):
    fill(project / "photos" / "car", 12)
    fill(project / "photos" / "ball", 12)
    options = [
        "trainer.class_weights={cars: 2.0, ball: 1.0}",
        "augmentation.operations={rotate: {except: [bal]}, hue: null}",
    ]
    if kind == "table":
        lines = [f"photos/{one}/{n:05}.jpg,{one}" for one in ("car", "ball") for n in range(12)]
        (project / "toys.csv").write_text("\n".join(["path,label", *lines]))
        options.append("data.root=toys.csv")
    assert main(["check", *(word for one in options for word in ("--set", one))]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "imgpipe: trainer.class_weights: expected classes of the data (ball, car), received "
        "'cars'; did you mean `car`?",
        "imgpipe: augmentation.operations.rotate.except: expected classes of the data (ball, car), "
        "received 'bal'; did you mean `ball`?",
    ]


def test_what_only_a_search_needs_is_asked_of_a_search_alone(project, capsys, monkeypatch):
    fill(project / "photos" / "car", 12)
    fill(project / "photos" / "ball", 12)
    space = (
        "search.space={augmentation.backend: [keras, albumentations], "
        "trainer.class_weights: [none, {balls: 2.0}]}"
    )
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *_: ())
    assert main(["check", "--set", space]) == 0
    assert main(["sweep", "--search", "--set", space]) == 2
    assert "expected the package albumentations, which is not" in capsys.readouterr().err
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *names: names)
    assert main(["sweep", "--search", "--set", space]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "imgpipe: search.space.trainer.class_weights[1]: expected classes of the data (ball, car), "
        "received 'balls'; did you mean `ball`?"
    ]


def test_data_that_cannot_be_trained_on(project, capsys):
    fill(project / "photos" / "car", 2)
    assert main(["check"]) == 2
    said = capsys.readouterr().err
    assert "at least 2 classes" in said
    assert "car (2)" in said


def test_ten_thousand_files_take_less_than_two_seconds(project):
    for number in range(10):
        fill(project / "photos" / str(number), 1000)
    began_s = time.process_time()
    assert main(["check"]) == 0
    assert time.process_time() - began_s < 2


@pytest.fixture
def with_images(project) -> Path:
    for label in ("car", "ball"):
        fill(project / "photos" / label, 4)
    return project


def test_a_users_model_is_looked_for_and_not_run(with_images, monkeypatch, capsys):
    (with_images / "net.py").write_text("import blocks\nraise RuntimeError\ndef build(): ...")
    (with_images / "blocks.py").write_text("raise RuntimeError")
    assert main(["check", "--set", "trainer.model=net.py:build"]) == 0
    monkeypatch.syspath_prepend(str(with_images))
    assert main(["check", "--set", "trainer.model=net:build"]) == 0
    assert "Config and data are fit for a run." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "trouble"),
    [
        ("gone.py:build", "gone.py:build, which does not exist."),
        ("net.py:built", "net.py:built, but the file has no `built`."),
        ("gone:build", "no module with Python sources named 'gone' on the Python path."),
        ("math:sin", "no module with Python sources named 'math' on the Python path."),
        ("__main__:build", "no module with Python sources named '__main__' on the Python path."),
        ("json:build", "json/__init__.py has no `build`."),
        ("net.py:build", "but what it imports is no Python: "),
    ],
)
def test_a_users_model_that_is_not_there(with_images, monkeypatch, capsys, model, trouble):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)  # as in `imgpipe`
    (with_images / "net.py").write_text("import blocks\ndef build(): ...")
    (with_images / "blocks.py").write_text("def")
    assert main(["check", "--set", f"trainer.model={model}"]) == 2
    printed = capsys.readouterr().err
    assert trouble in printed
    assert "trainer.model: " in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("key", ["model", "loss", "metrics", "callbacks"])
def test_a_users_module_that_ours_hides_is_refused_in_the_words_of_the_run(
    with_images, capsys, key
):
    (with_images / "net.py").write_text("import trainer\ndef build(): ...")
    (with_images / "trainer.py").touch()
    is_list = key in ("metrics", "callbacks")
    reference, other = ("[net.py:build]", "[]") if is_list else ("net.py:build", "net.py:other")
    space = f"{{trainer.{key}: [{reference}, {other}]}}"
    with pytest.raises(ConfigError) as raised:
        load_users_code(f"{with_images}/net.py:build", "trainer.model")
    (words,) = raised.value.problems
    for command in ("check", "run"):
        assert main([command, "--set", f"trainer.{key}={reference}"]) == 2
        assert words.removeprefix("trainer.model: ") in capsys.readouterr().err
    assert main(["check", "--set", f"search.space={space}"]) == 2
    assert f"search.space.trainer.{key}[0]: {with_images}/net.py imports" in capsys.readouterr().err


def test_code_of_a_search_space_is_looked_for(with_images, capsys):
    space = "search.space={trainer.loss: [focal, 'gone:Loss'], trainer.epochs: [3, 4]}"
    assert main(["check", "--set", space, "--set", "trainer.metrics=['lost:Metric']"]) == 2
    printed = capsys.readouterr().err
    assert "search.space.trainer.loss[1]: expected a class derived from keras.losses" in printed
    assert "there is no module with Python sources named 'gone' on the Python path." in printed
    assert printed.count("there is no module with Python sources named 'lost'") == 1


def test_our_packages_are_ours_beside_others_of_their_names(with_images):
    for name in ("trainer.py", "contracts.py", "serving.py"):
        (with_images / name).write_text("raise RuntimeError('the other one')")
    (with_images / "pipeline").mkdir()
    (with_images / "components").mkdir()
    (with_images / "components" / "__init__.py").write_text("raise RuntimeError('the other one')")
    command = [sys.executable, "-m", "pipeline.cli", "check"]
    ran = subprocess.run(command, cwd=with_images, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode == 0
