"""`imgpipe init`: writes a commented pipeline.yaml, and images for a first run."""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from contracts.system.errors import InputError
from pipeline.cli import DEFAULT_CONFIG, default_workspace
from pipeline.commands.choice import require_choice
from pipeline.commands.next_command import next_command
from pipeline.recipes.catalogue import NAMES as RECIPES
from pipeline.recipes.catalogue import read_recipe
from pipeline.yaml_editing import with_values_in_place

CONFIG_FILE: Final = str(DEFAULT_CONFIG)
DIGITS_FOLDER: Final = "digits"

# The repository's own pipeline.yaml; the wheel carries it under this name.
TEMPLATE: Final = Path(__file__).with_name(CONFIG_FILE)

# The demo's values: two cores train this network in 20 s to 100 % of the validation images and
# 99.7 % of the test images (mean of seeds 0 to 5, the least 98.9 %).
DEMO_VALUES: Final[Mapping[str, JsonValue]] = {
    "name": "digits",
    "data.root": f"{DIGITS_FOLDER}/",
    "preprocessing.image_size_px": 32,
    "augmentation.preset": "none",  # a mirrored digit is another one, or none
    "augmentation.operations": {
        "rotate": {"probability": 0.7, "range": [-12, 12]},
        "shear": {"probability": 0.3, "range": [-8, 8]},
        "zoom": {"probability": 0.5, "range": [0.9, 1.1]},
        "translate": {"probability": 0.7, "range": [-0.08, 0.08]},
    },
    "trainer.model_options": {"filters": [16, 32, 64, 128]},
    "trainer.epochs": 30,
    "trainer.batch_size": 64,
    "trainer.learning_rate": 5.0e-3,
    "trainer.label_smoothing": 0.1,
    "evaluation.min_accuracy": 0.9,
}

# scikit-learn's digits have 8 x 8 pixels. Each pixel becomes a block of this side.
PIXEL_SIDE: Final = 4
LARGEST_VALUE: Final = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder, the demo and the recipes."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: here"
    )
    parser.add_argument(
        "--demo", action="store_true", help="with 1,797 handwritten digits as an image folder"
    )
    recipes = "; ".join(f"{name}: {read_recipe(name).description}" for name in RECIPES)
    parser.add_argument(
        "--recipe", metavar="NAME", help=f"begin with the values of a recipe. {recipes}"
    )


def run(args: argparse.Namespace) -> int:
    """Write the files and name the next command; nothing that is there is overwritten.

    Raises:
      InputError: there is no such recipe; or a file is there already, or cannot be written.
    """
    require_choice("--recipe", args.recipe, RECIPES)
    if args.demo and args.recipe:
        raise InputError("--recipe: expected one of --demo and --recipe, received both.")
    folder: Path = args.folder
    names = [DIGITS_FOLDER, CONFIG_FILE] if args.demo else [CONFIG_FILE]
    try:
        _require_absent(names, folder)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".init-") as unfinished:
            _write(Path(unfinished), args)
            for name in names:
                Path(unfinished, name).rename(folder / name)
    except OSError as error:
        raise InputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). "
            "Name another folder: `imgpipe init DIR`."
        ) from error
    print(f"Wrote {' and '.join(str(folder / name) for name in names)}.")
    config = folder / DEFAULT_CONFIG
    common = argparse.Namespace(config=config, workspace=default_workspace(config), overrides=[])
    if args.demo:
        print(f"Next: {next_command('run', common)}")
    else:
        print(f"Set `name` and `data.root` in it. Next: {next_command('check', common)}")
    return 0


def _write(folder: Path, args: argparse.Namespace) -> None:
    config = TEMPLATE.read_text(encoding="utf-8")
    if args.demo:
        config = with_values_in_place(config, DEMO_VALUES)
        _write_digits(folder / DIGITS_FOLDER)
    elif args.recipe:
        config = read_recipe(args.recipe).put_into(config)
    (folder / CONFIG_FILE).write_text(config, encoding="utf-8")


def _require_absent(names: list[str], folder: Path) -> None:
    there = [folder / name for name in names if (folder / name).exists()]
    if there:
        raise InputError(
            f"{path}: expected nothing there, found one. Move it away, or name another folder: "
            "`imgpipe init DIR`."
            for path in there
        )


def _write_digits(folder: Path) -> None:
    """Write scikit-learn's digits as PNG files, the same bytes every time.

    1,797 of them, greyscale, 8 bits, 32 x 32 pixels: `<class>/<number in the data set>.png`.
    """
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / LARGEST_VALUE)).astype(np.uint8)
    pixels = np.kron(grey, np.ones((1, PIXEL_SIDE, PIXEL_SIDE), np.uint8))
    for label in digits.target_names:
        (folder / str(label)).mkdir(parents=True)
    for number, (image, label) in enumerate(zip(pixels, digits.target, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number:04}.png")
