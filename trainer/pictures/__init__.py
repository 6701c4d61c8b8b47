"""Pictures of what a network has learned and where it errs."""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from contracts.artifacts.training_record import PICTURES_FILE
from contracts.config.explanation import ExplainedImages
from contracts.system.atomic_files import write_whole
from contracts.system.errors import in_one_line
from contracts.system.progress import report_progress
from trainer.pictures.drawings import (
    confusion_matrix,
    feature_maps,
    filters,
    grad_cam,
    learning_curves,
    learning_rate_trial,
    nearest_training_images,
    sample_predictions,
)
from trainer.pictures.picture import CannotDraw, Picture, save, styled
from trainer.pictures.picture_data import PictureData

if TYPE_CHECKING:
    from contracts.artifacts.image_dataset import ImageDataset
    from trainer.training.train import TrainedModel

__all__ = ["Picture", "draw_pictures"]

LOGGER = logging.getLogger(__name__)

EXPLAINED_IMAGES = ExplainedImages()

DRAWN: tuple[ModuleType, ...] = (
    learning_curves,
    confusion_matrix,
    sample_predictions,
    filters,
    feature_maps,
    grad_cam,
    nearest_training_images,
)


def draw_pictures(
    trained: "TrainedModel",
    dataset: "ImageDataset",
    folder: Path,
    images: ExplainedImages = EXPLAINED_IMAGES,
    seed: int = 0,
) -> list[Picture]:
    """Draw every picture that can be drawn of a trained network into `folder` and return them.

    The search for a learning rate is among them where there was one.

    What cannot be drawn is named in `pictures.json` with the reason; it is written last. The
    network is left as it was.

    Args:
      trained: the network and its history.
      dataset: what it was trained on.
      folder: is made where it is missing.
      images: that the pictures show.
      seed: of the choice of samples.

    Raises:
      OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = PictureData(trained, dataset, images, seed)
    drawn: list[Picture] = []
    left_out: list[dict[str, str]] = []
    modules = [*DRAWN, *([learning_rate_trial] if trained.rates_tried else [])]
    for number, module in enumerate(modules):
        report_progress(number, len(modules), "pictures")
        name = module.__name__.rpartition(".")[2]
        try:
            drawn.append(_draw(module, name, data, folder))
        except OSError:
            raise
        except Exception as error:  # a user's model may do anything, and it is trained already
            if not isinstance(error, CannotDraw):
                LOGGER.warning("%s could not be drawn", name, exc_info=error)
            left_out.append({"name": name, "title": module.TITLE, "reason": _reason(error)})
    report_progress(len(modules), len(modules), "pictures")
    content = {"pictures": [asdict(picture) for picture in drawn], "left_out": left_out}
    write_whole(folder / PICTURES_FILE, json.dumps(content, indent=1, ensure_ascii=False))
    return drawn


def _draw(module: ModuleType, name: str, data: PictureData, folder: Path) -> Picture:
    with styled():
        picture = Picture(name, f"{name}.png", module.TITLE, module.CAPTION)
        save(module.draw(data), folder / picture.file)
    return picture


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, CannotDraw) else in_one_line(error)
