"""libosdp takes the random numbers of its handshake from the C library's `rand`, and nobody seeds that.

Every start of a child would offer the same challenges: whoever had recorded the bus once could play a reader's side,
codes and all, back to a panel that starts. So the generator's whole state is filled from the kernel before each
handshake. Its state is 63 words; a handshake takes 8 numbers.
"""

import ctypes
import os

_STATE_BYTES = 256
_state = ctypes.create_string_buffer(_STATE_BYTES)
"""The generator works in this memory for as long as the process lives."""
_libc = ctypes.CDLL(None)
_began = False


def feed() -> None:
    """Give `rand` fresh numbers from the kernel."""
    global _began
    if not _began:
        if not hasattr(_libc, "initstate"):  # another C library: 32 bits are what its door lets in
            _libc.srand(int.from_bytes(os.urandom(4), "little"))
            return
        _libc.initstate.restype = ctypes.c_void_p
        _libc.initstate(ctypes.c_uint(1), _state, ctypes.c_size_t(_STATE_BYTES))
        _began = True
    # The first word says which kind of generator it is, and where it stands; the others are the numbers.
    ctypes.memmove(ctypes.addressof(_state) + 4, os.urandom(_STATE_BYTES - 4), _STATE_BYTES - 4)
