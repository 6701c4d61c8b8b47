"""A blessed model -> the serving folder and the model registry."""
