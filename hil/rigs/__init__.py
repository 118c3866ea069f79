"""Rigs: a panel with the hands, eyes and faults that a scenario needs. One protocol, three of them (docs/rigs.md)."""
