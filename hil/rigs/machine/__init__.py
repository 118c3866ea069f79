"""The machine rig: the panel as it is installed, in a virtual board with real Linux GPIO lines."""
