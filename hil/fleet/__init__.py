"""A fleet: thousands of panels in one process against one real broker and the reference center.

Real are the delivery logic (`firmware.uplink.delivery`), core's side of it, the signatures and the center; a journal is
in memory, and paho, which needs a thread for each panel, is replaced by a small client over asyncio.
"""
