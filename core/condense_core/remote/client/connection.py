"""One connection to a host: questions and answers, and what arrives unasked."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from condense_core.errors import CondenseError, HostError, LastingHostError
from condense_core.remote.client.hosts import Host
from condense_core.remote.client.ssh import Pipe
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import WireError, from_server, pack
from condense_core.remote.wire.version import program_version
from condense_core.text import printable

# A connection without questions on the terminal is there by then, over three jump hosts and a cold disk, or never.
MEET_PATIENCE_S = 45.0
# Long enough for a person to look up a password.
PROMPT_PATIENCE_S = 600.0
# How often a wait for a connection checks whether it is still wanted.
LOOK_S = 0.1
# A run is made, PyTorch found and a worker forked by then; lists and commands take milliseconds.
ANSWER_PATIENCE_S = 90.0

A = TypeVar("A", bound=say.Message)


class RefusedError(CondenseError):
    """The far side refused: its message, with its exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Connection:
    """A server on a host. `close` it, or use it as a context; workers there do not notice."""

    def __init__(self, host: Host, *, prompt: bool = False, given_up: threading.Event | None = None) -> None:
        """Connect and exchange hellos; HostError if that fails, or `given_up` is set meanwhile.

        `prompt`: ssh may ask on the terminal, and is waited for as long as that takes.
        """
        self.host = host
        self._given_up = given_up or threading.Event()
        self._incoming = from_server()
        self._asks = itertools.count(1)
        self._arrived: deque[say.ToClient] = deque()
        self._pipe = Pipe(host, host.serve_command, prompt=prompt)
        try:
            self.hello = self._meet(PROMPT_PATIENCE_S if prompt else MEET_PATIENCE_S)
        except BaseException:
            self.close()
            raise

    def next_ask(self) -> int:
        """A number for a question."""
        return next(self._asks)

    def send(self, message: say.Message) -> None:
        """Send a message; HostError if the connection has ended."""
        self._pipe.write(pack(message))

    def receive(self, seconds: float) -> list[say.ToClient]:
        """What has arrived, waiting up to `seconds` for something; HostError if the connection has ended."""
        data = self._pipe.read(seconds)
        if data is None:
            return []
        if not data:
            raise self._failure()
        try:
            return self._incoming.feed(data)
        except WireError as error:
            advice = f"; to check it: condense-tui doctor {self.host.name}" if self._incoming.greeted else ""
            raise HostError(f"{self.host.name} sent {error}{advice}") from None

    def ask(self, question: Callable[[int], say.Message], answer: type[A]) -> A:
        """The answer to `question(number)`; the far side's own error where it refuses."""
        number = self.next_ask()
        self.send(question(number))
        return self.answer(number, answer)

    def answer(self, number: int, answer: type[A]) -> A:
        """The answer to the question of that number. Questions are answered in the order in which they were asked."""
        deadline = time.monotonic() + ANSWER_PATIENCE_S
        while (left := deadline - time.monotonic()) > 0:
            if not self._arrived:
                self._arrived.extend(self.receive(left))
                continue
            message = self._arrived.popleft()
            if isinstance(message, say.Refused) and message.ask in {0, number}:
                raise RefusedError(f"{self.host.name}: {message.error}", message.exit_code)
            if isinstance(message, answer) and getattr(message, "ask", None) == number:
                return message
        raise HostError(f"{self.host.name} did not answer within {ANSWER_PATIENCE_S:.0f} s")

    def close(self) -> None:
        """End the connection."""
        self._pipe.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _meet(self, seconds: float) -> say.Hello:
        self.send(say.Hello(say.PROTOCOL, program_version()))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._given_up.is_set():
            self._arrived.extend(self.receive(LOOK_S))
            if not self._arrived:
                continue
            message = self._arrived.popleft()
            if isinstance(message, say.Refused):
                raise HostError(f"{self.host.name}: {message.error}")
            if not isinstance(message, say.Hello):
                raise HostError(
                    f"{self.host.name} did not answer as condense-tui does;"
                    f" to check it: condense-tui doctor {self.host.name}"
                )
            return self._checked(message)
        raise HostError(f"{self.host.name} did not answer within {seconds:.0f} s")

    def _checked(self, hello: say.Hello) -> say.Hello:
        if not say.OLDEST_PROTOCOL <= hello.protocol <= say.PROTOCOL:
            older, newer = "there", "here"
            if hello.protocol > say.PROTOCOL:
                older, newer = newer, older
            advice = (
                "update condense-tui here" if older == "here" else f"condense-tui doctor {self.host.name} --install"
            )
            raise HostError(
                f"{self.host.name} runs condense-tui {printable(hello.program)} with protocol {hello.protocol},"
                f" and this is {program_version()} with protocol {say.PROTOCOL}; the one {older} is too old: {advice}"
            )
        return hello

    def _failure(self) -> HostError:
        failure, noise = self._pipe.failure(), self._incoming.noise
        if not noise or isinstance(failure, LastingHostError):
            return failure
        return HostError(f"{failure} (output of the shell there: {noise})")
