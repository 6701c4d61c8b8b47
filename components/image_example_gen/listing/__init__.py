"""What there is to ingest: folders, tables and object stores -> a catalogue; nothing is decoded."""
