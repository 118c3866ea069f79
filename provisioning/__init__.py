"""The technician's command line: panel file, users, journal."""
