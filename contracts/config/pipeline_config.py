"""All of pipeline.yaml as one frozen model."""

from typing import Annotated

from pydantic import Field

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.beam import BeamConfig
from contracts.config.data import DataConfig
from contracts.config.evaluation import EvaluationConfig
from contracts.config.explanation import ExplanationConfig
from contracts.config.preprocessing import PreprocessingConfig
from contracts.config.search import SearchConfig
from contracts.config.section import Section
from contracts.config.tracking import TrackingConfig
from contracts.config.trainer.config import TrainerConfig
from contracts.config.validation import ValidationConfig


class PipelineConfig(Section):
    """All of pipeline.yaml."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
            description="1 to 63 letters, digits, '_', '.' and '-', the first a letter or a digit",
        ),
    ]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    data: DataConfig
    validation: ValidationConfig = ValidationConfig()
    preprocessing: PreprocessingConfig = PreprocessingConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    trainer: TrainerConfig = TrainerConfig()
    search: SearchConfig = SearchConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    beam: BeamConfig = BeamConfig()
    tracking: TrackingConfig = TrackingConfig()
    explanation: ExplanationConfig = ExplanationConfig()
