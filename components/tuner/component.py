"""The Tuner component: TFX's own, whose artifact holds the best values as YAML too."""

from tfx import types
from tfx.components.tuner.component import Tuner as StockTuner
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.proto import trainer_pb2

from components.tuner.executor import Executor
from contracts import features
from contracts.code_digest import augmentation_libraries, code_digest, trainers_digest
from contracts.config import PipelineConfig
from contracts.search_space import tried
from contracts.tracking import TrackingStore
from contracts.variation import recipe_of


class Tuner(StockTuner):
    """Searches `search.space` with trainings of the recipe.

    `best_hyperparameters` holds best.yaml beside TFX's own file, `tuner_results` trials.json.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        config: PipelineConfig,
        store: TrackingStore | None,
        kept: str = "",
        config_folder: str = "",
    ) -> None:
        """Take what is trained on, and the config.

        Args:
          examples: transformed ones, in union with changed copies where there are any.
          config: of the trainings and of the search.
          store: of MLflow's runs; None: it is told nothing.
          kept: a folder in which a killed search is found.
          config_folder: what paths in best.yaml are relative to; "": they are absolute.
        """
        configs = [config, *(one for _, one in tried(config))]
        libraries = augmentation_libraries(*(one.augmentation for one in configs))
        super().__init__(
            tuner_fn="trainer.search.entrypoint.tuner_fn",
            examples=examples,
            train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
            eval_args=trainer_pb2.EvalArgs(splits=[features.VALIDATION]),
            custom_config={
                "recipe": recipe_of(config).model_dump_json(),
                "search": config.search.model_dump_json(),
                "tracking": store.model_dump_json() if store else "",
                "kept": kept,
                "config_folder": config_folder,
                "code_digest": code_digest(
                    "contracts",
                    "trainer",
                    "components.tuner",
                    libraries=("keras", "keras-tuner", "tensorflow", *libraries),
                ),
                "users_digest": trainers_digest(*(one.trainer for one in configs)),
            },
        )
