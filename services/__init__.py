"""The seven services: one folder, one process, one consumer group; no service imports another."""
