"""Rigs and scenarios: a simulated site, a reference alarm center, the demo."""
