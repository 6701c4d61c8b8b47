"""The ids of the components: in the DAG, in summaries, in `--to` and as folders of artifacts."""

from typing import Final

IMAGE_EXAMPLE_GEN: Final = "ImageExampleGen"
STATISTICS_GEN: Final = "StatisticsGen"
SCHEMA_GEN: Final = "SchemaGen"
EXAMPLE_VALIDATOR: Final = "ExampleValidator"
IMAGE_VALIDATOR: Final = "ImageValidator"
IMAGE_TRANSFORM: Final = "ImageTransform"
AUGMENTER: Final = "Augmenter"
TRAINER: Final = "Trainer"
CHAMPION_RESOLVER: Final = "ChampionResolver"
MODEL_EVALUATOR: Final = "ModelEvaluator"
MODEL_GATE: Final = "ModelGate"
MODEL_PUSHER: Final = "ModelPusher"
TUNER: Final = "Tuner"

# The components of a run, in the order in which they start.
COMPONENTS: Final = (
    IMAGE_EXAMPLE_GEN,
    STATISTICS_GEN,
    SCHEMA_GEN,
    EXAMPLE_VALIDATOR,
    IMAGE_VALIDATOR,
    IMAGE_TRANSFORM,
    AUGMENTER,
    TRAINER,
    CHAMPION_RESOLVER,
    MODEL_EVALUATOR,
    MODEL_GATE,
    MODEL_PUSHER,
)

# Only a search runs the Tuner, as its last component.
COMPONENTS_AND_TUNER: Final = (*COMPONENTS, TUNER)

# A component that reads none of another's outputs, but starts only after that one has succeeded.
# The training waits for the verdict on the images. The verdict is not its input: otherwise a
# changed threshold of the validation would change its cache key and start a training.
STARTS_AFTER: Final = {TRAINER: IMAGE_VALIDATOR, TUNER: IMAGE_VALIDATOR}

# The outcome of these components depends on the champion.
DEPENDENT_ON_CHAMPION: Final = (CHAMPION_RESOLVER, MODEL_EVALUATOR, MODEL_GATE, MODEL_PUSHER)
