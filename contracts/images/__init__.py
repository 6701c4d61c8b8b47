"""The only code that reads untrusted image bytes."""
