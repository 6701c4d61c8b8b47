"""Which image goes to which split, where the data does not say."""
