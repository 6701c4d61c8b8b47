"""The reasons why the images of an ingestion cannot be trained on."""

from collections.abc import Iterator

from components.image_example_gen.listing.leave_out import leave_out_key
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import Dataset
from contracts.system.errors import some_of


def reasons_to_refuse(dataset: Dataset) -> list[str]:
    """Return a sentence for each reason; none if there are enough readable images to train on.

    Every class needs a training image, and every split an image.
    """
    if not dataset.ingested:
        reasons = ["data.root: expected readable images, found none. Add readable images."]
    else:
        reasons = [*_untrained(dataset), *_empty(dataset)]
    return [*reasons, *_left_out(dataset)] if reasons else []


def _untrained(dataset: Dataset) -> Iterator[str]:
    labels = [label for label, counts in dataset.classes.items() if not counts[features.TRAIN]]
    if labels:
        yield (
            "data.root: expected a readable training image of every class, found none of "
            f"{some_of(labels)}. Add readable images, or leave the classes out: "
            f"{leave_out_key(labels)}."
        )


def _empty(dataset: Dataset) -> Iterator[str]:
    splits = [split for split, count in dataset.splits.items() if not count]
    if splits:
        yield (
            "data.root: expected a readable image in every split, found none for "
            f"{' and '.join(splits)}. "
            "Add different images: duplicates and groups stay in one split."
        )


def _left_out(dataset: Dataset) -> Iterator[str]:
    """Return how many files were quarantined and why, the most frequent reason first."""
    if not dataset.quarantined:
        return
    counts = sorted(dataset.quarantine_reasons.items(), key=lambda item: (-item[1], item[0]))
    why = "; ".join(
        f"{count:,} {reason}, e.g. {dataset.quarantine_examples[reason][0]}"
        for reason, count in counts
    )
    yield (
        f"{dataset.quarantined:,} of {dataset.found:,} files were left out: {why} "
        "(`imgpipe data files` lists all)."
    )
