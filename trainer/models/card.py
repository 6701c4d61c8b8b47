"""The model card: the parts of a network, its costs, and its speed on this machine."""

import json
import logging
import os
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from contracts.artifacts.training_record import CARD_FILE, DIAGRAM_FILE, NO_CARD_FILE
from contracts.system.atomic_files import write_whole
from contracts.system.errors import in_one_line
from trainer.hardware.gpus import device_names
from trainer.models.architecture import Stage, stages
from trainer.models.diagram import diagram, shape_text

LOGGER = logging.getLogger(__name__)

CARD_PAGE = "card.md"
SUMMARY = "summary.txt"

BATCHES = (1, 32)
# A batch is run so many times, or for so long if that is shorter. A batch that takes longer than
# the last of these is not measured.
REPETITIONS = 20
SECONDS_A_BATCH = 0.4
LONGEST_SECONDS = 5.0

SUMMARY_COLUMNS = 80


@dataclass(frozen=True)
class ModelCard:
    """What is known of a network; operations are those of one image."""

    name: str
    image_size_px: int
    parameters: int
    trainable_parameters: int
    dense_parameters: int  # with a fully connected layer for every convolution
    size_bytes: int
    multiply_adds: int
    flops: int  # two of them a multiply-add
    latency_ms: dict[str, float | None]  # by the images of a batch; None: too slow to measure
    device: str
    stages: tuple[Stage, ...]


def write_card(
    network: keras.Model, folder: Path, size_px: int, *, draws: bool = True
) -> ModelCard:
    """Write card.json, card.md, summary.txt and diagram.svg to `folder`, and return the card.

    Works for every built model, nested and subclassed ones too. The network is run, not changed.
    When the network cannot be described, nothing is written and its error is raised.

    Args:
      folder: is made where it is missing; each file appears whole.
      size_px: height and width of the images.
      draws: False leaves out diagram.svg, which needs matplotlib.

    Raises:
      OSError: the folder cannot be written.
    """
    card = make_card(network, size_px)
    files = {CARD_PAGE: page(card), SUMMARY: _summary(network)}
    if draws:
        title = f"{card.name}: {card.parameters:,} weights, images of {size_px} x {size_px}"
        files[DIAGRAM_FILE] = diagram(title, card.stages)
    files[CARD_FILE] = json.dumps(asdict(card), indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(folder / name, content)
    return card


def write_card_or_reason(
    network: keras.Model, folder: Path, size_px: int, *, draws: bool = True
) -> None:
    """Write the card, or a file that says why there is none.

    Args as of `write_card`.

    Raises:
      OSError: the folder cannot be written.
    """
    try:
        write_card(network, folder, size_px, draws=draws)
    except OSError:
        raise
    except Exception as error:  # a user's model may do anything
        LOGGER.warning("the model card could not be made", exc_info=error)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / NO_CARD_FILE, in_one_line(error))


def make_card(network: keras.Model, size_px: int) -> ModelCard:
    """Return the card of a built network, with its latency measured on this machine."""
    parts = tuple(stages(network, size_px))
    multiply_adds = sum(stage.multiply_adds for stage in parts)
    return ModelCard(
        name=network.name,
        image_size_px=size_px,
        parameters=network.count_params(),
        trainable_parameters=sum(int(np.prod(one.shape)) for one in network.trainable_weights),
        dense_parameters=sum(stage.dense_parameters for stage in parts),
        size_bytes=sum(_bytes(weight) for weight in network.weights),
        multiply_adds=multiply_adds,
        flops=2 * multiply_adds,
        latency_ms=_latencies_ms(network, size_px),
        device=_device(),
        stages=parts,
    )


def page(card: ModelCard) -> str:
    """Return the card as Markdown."""
    ratio = card.dense_parameters / max(card.parameters, 1)
    latencies = [
        f"| batch of {batch} | {f'{ms:.2f} ms' if ms is not None else 'more than 5 s'} |"
        for batch, ms in card.latency_ms.items()
    ]
    rows = [
        f"| {stage.name} | {shape_text(stage.output_shape)} | {stage.parameters:,} | "
        f"{stage.dense_parameters:,} | {2 * stage.multiply_adds:,} |"
        for stage in card.stages
    ]
    lines = [
        f"# {card.name}",
        "",
        f"| for images of {card.image_size_px} x {card.image_size_px} | |",
        "|---|---|",
        f"| weights | {card.parameters:,}, of them {card.trainable_parameters:,} trainable |",
        f"| size | {card.size_bytes / 2**20:.1f} MiB |",
        f"| a dense network of the same width | {card.dense_parameters:,} weights, {ratio:,.0f} "
        "times as many |",
        f"| operations for an image | {card.flops / 1e9:.3f} GFLOPs |",
        *latencies,
        f"| measured on | {card.device} |",
        "",
        "| stage | output | parameters | parameters if fully connected | FLOPs |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "Dense: every convolution replaced by a fully connected layer between the same feature",
        "maps. FLOPs: multiplications and additions of convolutions and dense layers. Latency: the",
        "median of several runs.",
        "",
    ]
    return "\n".join(lines)


def _latencies_ms(network: keras.Model, size_px: int) -> dict[str, float | None]:
    """Return the median milliseconds of a batch, by its images."""
    found: dict[str, float | None] = {}
    an_image_s = 0.0
    for batch in BATCHES:
        too_slow = an_image_s * batch > LONGEST_SECONDS
        found[str(batch)] = None if too_slow else 1000 * _median_s(network, size_px, batch)
        an_image_s = (found[str(batch)] or 0.0) / 1000 / batch
    return found


def _median_s(network: keras.Model, size_px: int, batch: int) -> float:
    pixels = np.random.default_rng(0).uniform(0, 255, (batch, size_px, size_px, 3))
    pixels = pixels.astype(np.float32)
    network.predict_on_batch(pixels)  # compiles
    seconds: list[float] = []
    while len(seconds) < REPETITIONS and sum(seconds) < SECONDS_A_BATCH:
        started_s = time.perf_counter()
        network.predict_on_batch(pixels)
        seconds.append(time.perf_counter() - started_s)
    return statistics.median(seconds)


def _device() -> str:
    """Return the name of the device that the network ran on."""
    first = device_names()[0]
    if not first.lower().startswith("cpu"):
        return first
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else 'CPU'}, {len(os.sched_getaffinity(0))} cores"


def _bytes(weight: Any) -> int:
    item = keras.ops.convert_to_numpy(keras.ops.zeros((), weight.dtype))
    return int(np.prod(weight.shape)) * int(item.itemsize)


def _summary(network: keras.Model) -> str:
    printed: list[str] = []
    network.summary(
        line_length=SUMMARY_COLUMNS,
        expand_nested=True,
        print_fn=lambda text, **_: printed.append(text),
    )
    return "\n".join(printed) + "\n"
