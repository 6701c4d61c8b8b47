"""Addresses of object stores, and the objects at them: S3 and Google Cloud Storage."""
