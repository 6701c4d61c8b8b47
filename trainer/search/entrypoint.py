"""TFX's way into the search."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.search import SearchConfig
from contracts.config.tracking import TrackingStore
from contracts.config.trainer.config import TrainingRecipe
from contracts.system.errors import ComponentError
from trainer.keras_settings import prepare_keras
from trainer.search.ledger import LEDGER_FILE, Ledger
from trainer.search.runs import open_runs
from trainer.search.trial_checkpoints import clear_all
from trainer.search.trials import Trials
from trainer.search.tuner import TrialTuner


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Return the tuner for the transformed examples; it goes on where an earlier one was killed.

    `custom_config` holds `recipe`, `search` and `tracking` (empty: MLflow is switched off) as JSON,
    `code_digest`, `training_digest`, and `kept`: the folder that outlives the component, where
    there is one.

    Raises:
      ComponentError: there is no validation split to judge trials on.
    """
    recipe = TrainingRecipe.model_validate_json(fn_args.custom_config["recipe"])
    search = SearchConfig.model_validate_json(fn_args.custom_config["search"])
    told = fn_args.custom_config["tracking"]
    store = TrackingStore.model_validate_json(told) if told else None
    # TFX gives patterns of files: <examples>/Split-train/*
    dataset = ImageDataset.unite(str(Path(files).parent.parent) for files in fn_args.train_files)
    if not dataset.examples.get(features.VALIDATION):
        raise ComponentError(
            f"Tuner: no validation examples in {dataset.uri}, which trials are judged on. Give "
            "data.splits.validation a larger part."
        )
    prepare_keras()
    code = [fn_args.custom_config[key] for key in ("code_digest", "training_digest")]
    kept = Path(fn_args.custom_config["kept"] or fn_args.working_dir)
    # Of copies only the folder says whether they are the same. It may be moved with what is kept.
    copies = [os.path.relpath(uri, kept) for uri in dataset.united]
    identity = _identity(recipe, search, dataset, [*copies, *code])
    clear_all(kept)
    ledger = Ledger(kept / identity / LEDGER_FILE)
    params = {"algorithm": search.algorithm, "objective": search.objective, "trials": search.trials}
    runs = open_runs(store, "search", params, ledger.mlflow_run_id)
    ledger.told_in(runs.run_id)
    tuner = TrialTuner(Trials(recipe, search, dataset), ledger, runs, fn_args.working_dir)
    return TunerFnResult(tuner=tuner, fit_kwargs={})


def _identity(
    recipe: TrainingRecipe, search: SearchConfig, dataset: ImageDataset, others: Sequence[str]
) -> str:
    """Return what stays the same while a trial's result does; more trials go on with the search."""
    parts = [
        recipe.model_dump(mode="json"),
        search.model_dump(mode="json", exclude={"trials"}),
        dataset.fingerprint,
        dataset.preprocessing.model_dump(mode="json"),
        dataset.examples,
        *others,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
