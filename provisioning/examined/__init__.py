"""What `fenghuo doctor` looks at besides the drivers: the board, its disk and mounts, the keys, the journal."""
