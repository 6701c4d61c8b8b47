"""What imgpipe costs, measured against what people would write without it."""
