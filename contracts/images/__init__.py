"""The one reading of untrusted image bytes."""
