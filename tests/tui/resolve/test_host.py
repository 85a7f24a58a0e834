"""Starting a run elsewhere: what a person is told where that machine cannot train."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from condense_core.errors import MissingExtraError
from condense_core.remote.client.connection import RefusedError
from condense_core.remote.client.hosts import Host
from condense_core.remote.wire.messages import PROTOCOL, Hello
from condense_core.scenario.experiment import Experiment
from condense_tui.resolve.host import NewRun, start


def far(command: str) -> SimpleNamespace:
    """A connection to a machine without PyTorch, which refuses to train in its own words."""

    def ask(question: object, answer: object) -> object:
        raise RefusedError(
            "far: training needs torch, which this installation lacks: /there/python -m pip install …", 2
        )

    hello = Hello(PROTOCOL, "0.1.0", "far", "3.11.2", ["torch"])
    return SimpleNamespace(host=Host(name="far", ssh="me@far", command=command), hello=hello, ask=ask)


def test_a_host_without_the_engine_gets_it_by_an_install_from_here(small: Experiment) -> None:
    with pytest.raises(MissingExtraError, match=r"torch.* far.*: condense-tui doctor far --install"):
        start(far(""), NewRun(small, "", "", "auto"))


def test_a_program_that_hosts_toml_names_says_itself_what_adds_to_it(small: Experiment) -> None:
    with pytest.raises(RefusedError, match="/there/python -m pip install"):
        start(far("~/condense/bin/condense-tui"), NewRun(small, "", "", "auto"))
