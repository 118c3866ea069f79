"""What the processes and the alarm center say to each other: docs/protocol.md as code."""
