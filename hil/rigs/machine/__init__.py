"""The machine rig: the panel as it is installed, in a virtual arm64 board with real Linux GPIO lines."""
