"""The process that sets the machine's clock, and does nothing else."""
