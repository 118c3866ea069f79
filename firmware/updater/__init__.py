"""The process that changes the panel's software: root, and alone in talking to `rauc`."""
