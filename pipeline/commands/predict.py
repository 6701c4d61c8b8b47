"""`imgpipe predict`: labels images with the champion."""

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.artifacts import signatures
from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.environment.keras_environment import require_keras
from contracts.images.reading import ImageReading
from contracts.system.errors import InputError
from pipeline.commands.next_command import next_command
from pipeline.local.output_redirection import output_redirected_to
from pipeline.local.quick_imports import quick_imports
from pipeline.workspace import Workspace
from pipeline.workspace_registry import open_registry
from serving.image_files import read_image_files

if TYPE_CHECKING:
    from serving.predictor import Prediction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the images."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="an image file")


def run(args: argparse.Namespace) -> int:
    """Print label and score of each image.

    Raises:
      InputError: an image cannot be read, nothing has been pushed yet, or the environment keeps
        Keras from being imported.
      ComponentError: the champion's SavedModel is gone, or the registry does not answer.
    """
    config = load_config(args.config, args.overrides, needs_data=False)
    require_keras()  # TensorFlow imports it
    with output_redirected_to(Path(os.devnull)):
        model = _champion(config, args)
        reading = ImageReading.read(model / signatures.EXTRA_ASSETS)
        images = read_image_files(args.images, reading)
        predictions = list(zip(args.images, _predict(model, images), strict=True))
    if args.json:
        rows = [{"image": str(path), **asdict(one)} for path, one in predictions]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        width = max(len(str(path)) for path, _ in predictions)
        for path, one in predictions:
            print(f"{path!s:<{width}}  {one.label}  {one.score:.4f}")
    return 0


def _champion(config: PipelineConfig, args: argparse.Namespace) -> Path:
    registry = open_registry(Workspace(args.workspace.resolve()), config)
    champion = registry.champion() if registry else None
    if champion is None:
        raise InputError(
            f"{config.name}: no champion in the registry yet. "
            f"Push a model with `{next_command('run', args)}`."
        )
    return champion.require_folder()


def _predict(model: Path, images: list[bytes]) -> list["Prediction"]:
    with quick_imports():
        from serving.predictor import Predictor

    return Predictor(model).predict(images)
