"""The function that TFX's Tuner component calls."""

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
from trainer.training.identity import examples_identity, identity

KEY_LENGTH = 16  # hex digits of the name of a search


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Return the tuner for the transformed examples; it goes on where one before it was killed.

    `custom_config` holds `recipe`, `search` and `tracking` (empty: MLflow is switched off) as JSON,
    `code_digest`, `training_digest`, and `kept`: the folder that outlives the component, where
    there is one.

    Raises:
      ComponentError: there is no validation split to judge trials on.
    """
    recipe = TrainingRecipe.model_validate_json(fn_args.custom_config["recipe"])
    search = SearchConfig.model_validate_json(fn_args.custom_config["search"])
    tracking = fn_args.custom_config["tracking"]
    store = TrackingStore.model_validate_json(tracking) if tracking else None
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
    search_key = identity(
        recipe.model_dump(mode="json"),
        search.model_dump(mode="json", exclude={"trials"}),  # more of them go on with the search
        examples_identity(dataset, moved_with=kept),
        *code,
    )[:KEY_LENGTH]
    clear_all(kept)
    ledger = Ledger(kept / search_key / LEDGER_FILE)
    params = {"algorithm": search.algorithm, "objective": search.objective, "trials": search.trials}
    runs = open_runs(store, "search", params, ledger.mlflow_run_id)
    ledger.use_run(runs.run_id)
    tuner = TrialTuner(Trials(recipe, search, dataset), ledger, runs, fn_args.working_dir)
    return TunerFnResult(tuner=tuner, fit_kwargs={})
