"""Metrics and limits -> blessing and reasons."""
