"""The processes on the panel (core, uplink, camera), and the journal and the protocol they share."""
