"""The bench rig: a real panel whose wires go to relays and inputs of this computer (docs/bench-rig.md)."""
