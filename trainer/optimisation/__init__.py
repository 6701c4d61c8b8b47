"""What pulls on the weights: optimisers, learning rates, losses."""
