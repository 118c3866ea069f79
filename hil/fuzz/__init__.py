"""Random and mutated frames for every parser of bytes that come from outside: `make fuzz`."""
