"""Finds labels that are likely wrong, by confident learning with a quick model.

Source: Northcutt, Jiang, Chuang, Confident Learning, 2021; cleanlab, an optional dependency.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from components.image_validator.measured_images import MeasuredImages
from contracts.environment.optional_libraries import CLEANLAB

Array = npt.NDArray[Any]

_FOLDS = 5
_NEIGHBOURS = 10
_COMPONENTS = 50
_JUDGED_AT_MOST = 20_000
# A quick model that is wrong more often than this gives no findings.
_LEAST_ACCURACY = 0.7


def find_mislabelled(
    pictures: MeasuredImages, threshold: float, seed: int
) -> tuple[Array, list[str]]:
    """Return the rows whose label is likely wrong, and notes on what could not be checked.

    The model classifies by the nearest neighbours of miniatures, with five-fold
    cross-validation. It knows shapes and colours, and little of the content of photographs.

    Args:
      pictures: the measured images.
      threshold: a label with at least this probability is not reported.
      seed: of the folds, and of the sample if there are too many images.

    Raises:
      ComponentError: cleanlab is not installed.
    """
    CLEANLAB.require()
    from cleanlab.filter import find_label_issues

    rows, labels, notes = _select_rows(pictures, seed)
    if not len(rows):
        return rows, [*notes, "likely_mislabelled: too few images a class to judge any."]
    probabilities = _out_of_fold(pictures.miniatures(rows), labels, seed)
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    if accuracy < _LEAST_ACCURACY:
        notes.append(
            f"likely_mislabelled: the quick model is right about {accuracy:.0%} of the images, "
            f"too few (below {_LEAST_ACCURACY:.0%}) to doubt labels."
        )
        return rows[:0], notes
    is_doubtful = find_label_issues(labels, probabilities, n_jobs=1)
    own = probabilities[np.arange(len(labels)), labels]
    return rows[is_doubtful & (own < threshold)], notes


def _select_rows(pictures: MeasuredImages, seed: int) -> tuple[Array, Array, list[str]]:
    """Return the rows that are checked, and the numbers of their labels, from 0."""
    labels = pictures.numbers("label")
    sizes = np.bincount(labels)
    rows = np.flatnonzero(sizes[labels] >= _FOLDS)
    notes = []
    if len(rows) > _JUDGED_AT_MOST:
        notes.append(f"likely_mislabelled: {_JUDGED_AT_MOST:,} of {len(rows):,} images judged.")
        chosen = np.random.default_rng(seed).choice(len(rows), _JUDGED_AT_MOST, replace=False)
        rows = np.sort(rows[chosen])
    _, numbers, left = np.unique(labels[rows], return_inverse=True, return_counts=True)
    is_large = left[numbers] >= _FOLDS
    rows = rows[is_large]
    _, numbers = np.unique(labels[rows], return_inverse=True)
    small = int((sizes < _FOLDS).sum())
    if small:
        notes.append(f"likely_mislabelled: {small} classes are too small to be judged.")
    return rows, numbers, notes


def _out_of_fold(images: Array, labels: Array, seed: int) -> Array:
    """Return the probability of each class for each image, by a model that has not seen it."""
    from sklearn.decomposition import PCA
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    fitted = len(images) * (_FOLDS - 1) // _FOLDS
    neighbours = KNeighborsClassifier(min(_NEIGHBOURS, fitted), weights="distance")
    model = make_pipeline(PCA(min(_COMPONENTS, fitted), random_state=seed), neighbours)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    probabilities: Array = cross_val_predict(
        model, images, labels, cv=folds, method="predict_proba"
    )
    return probabilities
