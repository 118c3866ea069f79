"""The last resort: a GSM modem that says by SMS what no better path got receipted."""
