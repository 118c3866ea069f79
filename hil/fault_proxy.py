"""A TCP proxy of the loopback that harms what it carries: partitions, delays, narrow lines, resets, half-open ends.

An event loop in a thread of its own; `set`, `break_all` and `play` may be called from any thread. What it holds back is
bounded: it stops reading, as a full network would.
"""

import asyncio
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any, Literal

from hil.broker import HOST
from hil.faults import CLEAR, Programme, Weather

CHUNK = 16 * 1024
HELD_CHUNKS = 16
"""So many chunks a direction holds at most; then its sender feels it."""
_LINGER_NONE = struct.pack("ii", 1, 0)


class FaultProxy:
    """One port in front of another. A context manager."""

    def __init__(self, to_port: int, seed: int = 0, to_host: str = HOST) -> None:
        """`seed` for the jitter."""
        self.host = HOST
        self.port = 0
        """Where it listens, once started: a free port, kept until it stops."""
        self.counts: Counter[str] = Counter()
        """Connections `accepted`, `refused`, `hung`, `unreachable`, `reset`, `half-open`; bytes `up`, `down`."""
        self._to = (to_host, to_port)
        self._chance = Random(seed)  # noqa: S311
        self._loop = asyncio.new_event_loop()
        self._weather = CLEAR
        self._changed = asyncio.Event()
        self._pairs: set[_Pair] = set()
        self._hung: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> "FaultProxy":
        """Listen."""
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accepted, HOST, 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def stop(self) -> None:
        """Reset everything and end the thread."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> "FaultProxy":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def set(self, weather: Weather) -> None:
        """From now on the link behaves so; returns when it does."""
        self._run(self._set(weather))

    def break_all(self, how: Literal["reset", "half-open"]) -> None:
        """Break the open connections: `reset` both ends, or `half-open`: the client is not told, talks to nobody."""
        self._run(self._break(how))

    def play(self, programme: Programme, ended: threading.Event, begin: float | None = None) -> None:
        """Carry a programme out, in the caller's thread; heal at its end, or when `ended` is set.

        `begin`: `time.monotonic()` of its start, now by default.
        """
        begin = time.monotonic() if begin is None else begin
        for fault in programme:
            if ended.wait(max(0.0, begin + fault.at_s - time.monotonic())):
                break
            self.counts[f"fault.{fault.kind}"] += 1
            self.set(fault.weather())
            if fault.breaks:
                self.break_all(fault.breaks)
            ended.wait(max(0.0, begin + fault.end_s - time.monotonic()))
            self.heal()
        self.heal()

    def heal(self) -> None:
        """Fair weather. What was half-open or hung is reset, as by a router that does not know it."""
        self._run(self._heal())

    # --- in the loop's thread

    def _run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _set(self, weather: Weather) -> None:
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    async def _heal(self) -> None:
        await self._set(CLEAR)
        for pair in [pair for pair in self._pairs if pair.half_open]:
            pair.reset()
        for writer in list(self._hung):
            _abort(writer)
        self._hung.clear()

    async def _break(self, how: str) -> None:
        for pair in list(self._pairs):
            if not pair.half_open:
                self.counts[how] += 1
                pair.reset() if how == "reset" else pair.forget_server()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._heal()
        await self._break("reset")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        welcome = self._weather.welcome
        if welcome == "refuse":
            self.counts["refused"] += 1
            _abort(writer)
            return
        if welcome == "hang":
            self.counts["hung"] += 1
            self._hung.add(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._to)
        except OSError:
            self.counts["unreachable"] += 1
            _abort(writer)
            return
        self.counts["accepted"] += 1
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        pair.carrying = asyncio.gather(
            self._carry(pair, reader, far_writer, "up"), self._carry(pair, far_reader, writer, "down")
        )
        try:
            with suppress(asyncio.CancelledError):
                await pair.carrying
        finally:
            self._pairs.discard(pair)
            pair.reset()

    async def _carry(
        self, pair: "_Pair", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Literal["up", "down"]
    ) -> None:
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_CHUNKS)
        sender = asyncio.create_task(self._send(pair, held, writer, way))
        due = 0.0
        try:
            while True:
                data = await reader.read(CHUNK)
                weather = self._weather
                delay = weather.latency_ms + self._chance.uniform(0, weather.jitter_ms)
                due = max(due, self._loop.time() + delay / 1000 + (0 if data else weather.close_s))
                await held.put((due, data))
                if not data:
                    break
            await sender
        except OSError:
            pair.broken(way)
        finally:
            sender.cancel()

    async def _send(
        self, pair: "_Pair", held: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter, way: str
    ) -> None:
        while True:
            due, data = await held.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            while not getattr(self._weather, way):
                await self._changed.wait()
            if pair.half_open:
                continue  # swallowed: nobody is at the other end
            self.counts[way] += len(data)
            if self._weather.bytes_per_s:
                await asyncio.sleep(len(data) / self._weather.bytes_per_s)  # nothing is there before its last byte
            try:
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
            except OSError:
                pair.reset()
                return


class _Pair:
    """A connection's two ends."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.half_open = False
        self.carrying: asyncio.Future[Any] | None = None
        self._client = client
        self._server = server

    def reset(self) -> None:
        """RST to both."""
        _abort(self._client)
        _abort(self._server)
        if self.carrying is not None:
            self.carrying.cancel()

    def forget_server(self) -> None:
        """RST to the server alone; the client goes on talking to nobody."""
        self.half_open = True
        _abort(self._server)

    def broken(self, way: str) -> None:
        """Reading failed on the side that `way` comes from."""
        if not (self.half_open and way == "down"):
            self.reset()


def _abort(writer: asyncio.StreamWriter) -> None:
    own = writer.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    writer.transport.abort()
