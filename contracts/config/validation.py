"""The `validation` section of pipeline.yaml: the checks of the data and their severities."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from contracts.config.section import Section

Severity = Literal["off", "warn", "fail"]


def _with_optional_threshold(schema: dict[str, Any]) -> None:
    """Say in the schema that a check may leave its threshold out (ValidationConfig fills it in)."""
    schema.pop("required", None)


class DataCheck(Section):
    """One check: `warn` reports what it finds, `fail` stops the pipeline before training."""

    model_config = ConfigDict(json_schema_extra=_with_optional_threshold)

    severity: Severity = "warn"
    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ShareCheck(DataCheck):
    """A check whose threshold is a share or a score."""

    threshold: Annotated[float, Field(ge=0, le=1)]


class CountCheck(DataCheck):
    """A check whose threshold is a number of findings or images."""

    threshold: Annotated[int, Field(ge=1)]


class FactorCheck(DataCheck):
    """A check whose threshold is how many times larger or smaller something is."""

    threshold: Annotated[float, Field(ge=1, allow_inf_nan=False)]


class ValidationConfig(Section):
    """What ImageValidator looks for; the comments in pipeline.yaml say what thresholds mean."""

    exact_duplicate: CountCheck = CountCheck(threshold=1)
    near_duplicate: ShareCheck = ShareCheck(threshold=0.1)
    cross_split_leak: CountCheck = CountCheck(threshold=1)
    label_conflict: CountCheck = CountCheck(threshold=1)
    placeholder: ShareCheck = ShareCheck(threshold=0.8)
    dark: ShareCheck = ShareCheck(threshold=0.32)
    light: ShareCheck = ShareCheck(threshold=0.05)
    blurry: ShareCheck = ShareCheck(threshold=0.07)
    low_information: ShareCheck = ShareCheck(threshold=0.3)
    odd_size: FactorCheck = FactorCheck(threshold=10)
    odd_aspect: ShareCheck = ShareCheck(threshold=0.35)
    grayscale_among_colour: ShareCheck = ShareCheck(threshold=0.1)
    all_dark_or_flat: ShareCheck = ShareCheck(threshold=0.1)
    class_imbalance: ShareCheck = ShareCheck(threshold=0.05)
    class_too_small: CountCheck = CountCheck(threshold=10)
    class_missing_in_split: CountCheck = CountCheck(threshold=1)
    likely_mislabelled: ShareCheck = ShareCheck(severity="off", threshold=0.05)
    drift: ShareCheck = ShareCheck(threshold=0.2)
    schema_anomaly: CountCheck = CountCheck(threshold=1)

    @model_validator(mode="before")
    @classmethod
    def _with_default_thresholds(cls, values: Any) -> Any:
        """Give a check without a threshold its default one."""
        if not isinstance(values, Mapping):
            return values
        return {name: cls._completed(name, given) for name, given in values.items()}

    @classmethod
    def _completed(cls, name: str, given: Any) -> Any:
        known = cls.model_fields.get(name)
        if known is None or not isinstance(given, Mapping):
            return given
        default: DataCheck = known.default
        return {"threshold": default.threshold, "severity": default.severity, **given}

    def check(self, name: str) -> DataCheck:
        """Return the check of this name."""
        found: DataCheck = getattr(self, name)
        return found


CHECKS: tuple[str, ...] = tuple(ValidationConfig.model_fields)
