"""A real terminal for tests: tmux on a socket of its own, keys sent, screens read."""

from __future__ import annotations

import os
import shlex
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from support import wait_for

PROMPT = "ready> "
# Each look at the screen starts a program, beside the one that is waited for.
LOOK_S = 0.05


class Terminal:
    """One tmux window that runs one command in a shell."""

    def __init__(self, columns: int = 120, rows: int = 40, environment: Mapping[str, str] | None = None) -> None:
        self._socket = f"condense-{uuid.uuid4().hex[:8]}"
        # locale and colours are the test's, whatever the machine's are
        variables = {"LC_ALL": "C.UTF-8", "COLORTERM": "truecolor", "PS1": PROMPT, **(environment or {})}
        # tmux gives its windows their TERM itself
        term = variables.pop("TERM", "tmux-256color")
        settings = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
        size = ["-x", str(columns), "-y", str(rows)]
        start = ["-f", os.devnull, "start-server", ";", "set-option", "-g", "default-terminal", term, ";"]
        self._tmux(*start, "new-session", "-d", *size, *settings, "bash", "--norc")
        self.wait(PROMPT.strip())

    def run(self, *command: str) -> None:
        """Type a command line and press enter."""
        self.type(shlex.join(command))

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a line and press enter."""
        self._tmux("send-keys", "-l", text)
        self.press("Enter")

    def screen(self, *, colours: bool = False) -> str:
        """What is on the screen now; with `colours` as escape sequences too."""
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait(self, *texts: str, absent: Sequence[str] = (), seconds: float = 40) -> str:
        """The screen, once all the texts are on it and none of `absent` is."""

        def shown() -> bool:
            screen = self.screen()
            return all(text in screen for text in texts) and not any(text in screen for text in absent)

        try:
            wait_for(shown, seconds=seconds, every=LOOK_S)
        except AssertionError:
            raise AssertionError(f"waited for {texts} without {absent} on this screen:\n{self.screen()}") from None
        return self.screen()

    def wait_for_prompt(self) -> str:
        """The screen, once the program has ended and the shell asks again."""
        wait_for(lambda: self.screen().rstrip().endswith(PROMPT.strip()), every=LOOK_S)
        return self.screen()

    def close_window(self) -> None:
        """What a closed terminal window does: everything in it is hung up on."""
        self._tmux("kill-session")

    def pid_of(self, name: str) -> int:
        """Process id of the newest process of that command line under this terminal's shell."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        found = subprocess.run(["pgrep", "-n", "-P", shell, "-f", name], capture_output=True, text=True, check=True)
        return int(found.stdout)

    def close(self) -> None:
        """Close the window and everything that runs in it; it may be closed already."""
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False)
        # which tmux leaves behind
        sockets = Path(os.environ.get("TMUX_TMPDIR", "/tmp"), f"tmux-{os.getuid()}")
        (sockets / self._socket).unlink(missing_ok=True)

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
