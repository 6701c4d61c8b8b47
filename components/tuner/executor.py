"""Runs TFX's search and writes the results into the artifacts."""

import json
from pathlib import Path
from typing import Any

from tfx.components.tuner import executor as stock
from tfx.types import artifact_utils

from contracts.config.search import SearchConfig
from trainer.search.best import BEST_FILE, write_best
from trainer.search.ledger import LEDGER_FILE


class Executor(stock.Executor):
    """Transformed Examples -> HyperParameters, with best.yaml, and TunerResults."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Search, and write the best values."""
        custom_config = json.loads(exec_properties["custom_config"])
        search = SearchConfig.model_validate_json(custom_config["search"])
        tuner: Any = stock.search(input_dict, exec_properties, self._get_tmp_dir())
        stock.write_best_hyperparameters(tuner, output_dict)
        best = Path(artifact_utils.get_single_uri(output_dict["best_hyperparameters"]))
        results = Path(artifact_utils.get_single_uri(output_dict["tuner_results"]))
        tuner.ledger.write_to(results / LEDGER_FILE)
        write_best(best / BEST_FILE, search, tuner.ledger, custom_config["config_folder"])
