"""What root does on a panel's board at its start: the data partition, the first-boot drop, rights, the boot slots."""
