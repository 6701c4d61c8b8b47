"""The devices that a training runs on."""
