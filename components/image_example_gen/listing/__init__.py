"""Folders, tables and object stores -> a catalogue of the files to ingest; nothing is decoded."""
