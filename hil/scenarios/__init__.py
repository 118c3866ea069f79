"""Scenarios, to be read as a test plan: each is one function, and the same on every rig (docs/rigs.md)."""
