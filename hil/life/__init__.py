"""Simulated years: the real rules, journal and delivery logic, lived through by a simulated site under a virtual clock."""
