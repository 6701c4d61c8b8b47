"""A module for each picture: its title, its caption and how it is drawn."""
