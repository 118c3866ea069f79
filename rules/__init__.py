"""What an alarm panel decides.

Pure: no I/O, no clock, no threads, no import of the other rooms. A stimulus and the present moment
go in, the new state and a list of effects come out (`step`).
"""
