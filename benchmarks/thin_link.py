"""A thin link between two local ports, in user space: so many bits a second, so long a way, a short queue."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque

# A home router's queue: what a sender can push in before it is held back.
QUEUE_BYTES = 32 * 1024
PIECE = 1_400


class ThinLink:
    """Passes connections to `port` on through `rate` bits a second each way, `delay` seconds each way."""

    def __init__(self, port: int, rate: float, delay: float) -> None:
        self._target = port
        self._rate = rate / 8
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.bytes = [0, 0]
        """Passed on towards the target, and back."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    # the kernel's own buffers would be a longer queue than the link's
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * 1024)
                for way, (source, sink) in enumerate(((near, far), (far, near))):
                    threading.Thread(target=self._pass, args=(source, sink, way), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, way: int) -> None:
        """One direction: a piece leaves when the one before has left, and arrives `delay` later."""
        under_way: deque[tuple[float, bytes]] = deque()
        more = threading.Condition()

        def deliver() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with more:
                        while not under_way:
                            more.wait()
                        due, data = under_way[0]
                    time.sleep(max(0.0, due - time.monotonic()))
                    if not data:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(data)
                    self.bytes[way] += len(data)
                    with more:
                        under_way.popleft()
                        more.notify_all()

        threading.Thread(target=deliver, daemon=True).start()
        free = time.monotonic()
        data = b"-"
        room = QUEUE_BYTES + self._rate * self._delay
        while data:
            try:
                data = source.recv(PIECE)
            except OSError:
                data = b""
            free = max(free, time.monotonic()) + len(data) / self._rate
            with more:
                while sum(len(piece) for _, piece in under_way) > room:
                    more.wait()
                under_way.append((free + self._delay, data))
                more.notify_all()

    def close(self) -> None:
        self._listener.close()
