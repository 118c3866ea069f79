"""Updates on the very image in the virtual machine: `python -m hil.updates`."""
