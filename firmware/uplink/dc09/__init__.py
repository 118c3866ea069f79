"""The path of SIA DC-09: frames, what a record becomes, one message at a time, and the TCP client under it."""
