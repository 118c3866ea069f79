"""The process that senses, decides, sounds and records. It has no network."""
