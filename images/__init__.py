"""Builds the flashable system: Debian's packages, the panel's wheels, slots, a disk image and its release files."""
