"""The parts of the benchmark: each measures contestants and yields figures."""
