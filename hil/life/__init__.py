"""Simulated years: the real rules, journal and delivery logic, lived through by a site under a virtual clock."""
