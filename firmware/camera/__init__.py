"""The process that takes pictures and looks for persons in them. Core never waits for it."""
