"""OSDP (IEC 60839-11-5) over RS-485: keypads and card readers, each with a secure channel of its own."""
