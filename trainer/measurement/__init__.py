"""What `auto` stands for: values that are found by trial before a training begins."""
