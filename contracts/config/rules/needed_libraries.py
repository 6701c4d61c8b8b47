"""The optional libraries that a config needs."""

from contracts.config.pipeline_config import PipelineConfig
from contracts.environment.optional_libraries import (
    ALBUMENTATIONS,
    CLEANLAB,
    WANDB,
    OptionalLibrary,
)


def needed_libraries(config: PipelineConfig) -> list[OptionalLibrary]:
    """Return the optional libraries that a run with this config imports."""
    needs = {
        CLEANLAB: config.validation.likely_mislabelled.severity != "off",
        ALBUMENTATIONS: config.augmentation.backend == ALBUMENTATIONS.name,
        WANDB: config.tracking.wandb.enabled,
    }
    return [library for library, is_needed in needs.items() if is_needed]
