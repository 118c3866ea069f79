"""The process that talks to the alarm center. It decides nothing: core checks every signature."""
