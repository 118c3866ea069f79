"""What the panel can feel and move: conditions in, output commands out. Knows wiring, not alarm rules."""
