"""A link that is cut: `relay.py PORT FOLDER`, ssh's ProxyCommand, carries bytes to and from a server on this machine.

FOLDER/plan has a seed and the largest number of bytes that a connection carries from there, 0 for all; each draws its
own below, and ends in the middle of whatever it carries. FOLDER/cuts grows by a byte a cut, FOLDER/begun by one a
connection.
"""

from __future__ import annotations

import os
import random
import selectors
import socket
import sys
from pathlib import Path


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    with (folder / "begun").open("ab") as begun:
        begun.write(b".")
    number = (folder / "begun").stat().st_size
    seed, largest = (folder / "plan").read_text().split()
    draw = random.Random(f"{seed}/{number}")
    # as often a few bytes as many: a connection's first kB are ssh's own
    few, many = 10 ** draw.uniform(2, 5), draw.uniform(1, int(largest))
    left = (int(many) if draw.random() < 0.7 else int(few)) if int(largest) else sys.maxsize
    far = socket.create_connection(("127.0.0.1", port))
    with selectors.DefaultSelector() as ready:
        ready.register(far, selectors.EVENT_READ)
        ready.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj == 0:
                    data = os.read(0, 65_536)
                    if not data:
                        return
                    far.sendall(data)
                    continue
                data = far.recv(65_536)
                if not data:
                    return
                at = 0
                while at < len(data[:left]):
                    at += os.write(1, data[at:left])
                left -= len(data)
                if left <= 0:
                    with (folder / "cuts").open("ab") as cuts:
                        cuts.write(b".")
                    os._exit(1)


if __name__ == "__main__":
    main()
