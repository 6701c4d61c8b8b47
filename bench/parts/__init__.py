"""The parts of the benchmark: each runs contestants and yields figures."""
