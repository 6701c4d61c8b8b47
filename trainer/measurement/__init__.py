"""Values for `auto` in the config: found by trial before a training begins."""
