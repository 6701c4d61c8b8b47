"""The Tuner component: TFX's own, whose artifact holds the best values as YAML too."""

from tfx import types
from tfx.components.tuner.component import Tuner as StockTuner
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.proto import trainer_pb2

from components.code_digest import code_digest, users_digest
from components.tuner.executor import Executor
from contracts import features
from contracts.search import SearchConfig
from contracts.tracking import TrackingStore
from contracts.training import TrainingRecipe


class Tuner(StockTuner):
    """Searches `search.space` with trainings of the recipe.

    `best_hyperparameters` holds best.yaml beside TFX's own file, `tuner_results` trials.json.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        recipe: TrainingRecipe,
        search: SearchConfig,
        store: TrackingStore,
        kept: str = "",
    ) -> None:
        """Take transformed `examples` and `kept`, a folder in which a killed search is found."""
        super().__init__(
            tuner_fn="trainer.search.entrypoint.tuner_fn",
            examples=examples,
            train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
            eval_args=trainer_pb2.EvalArgs(splits=[features.VALIDATION]),
            custom_config={
                "recipe": recipe.model_dump_json(),
                "search": search.model_dump_json(),
                "tracking": store.model_dump_json(),
                "kept": kept,
                "code_digest": code_digest(
                    "contracts",
                    "trainer",
                    "components.tuner",
                    libraries=("keras", "keras-tuner", "tensorflow"),
                ),
                "users_digest": users_digest(
                    recipe.trainer.users_code(), recipe.trainer.users_files()
                ),
            },
        )
