"""Where a scenario's files are on this machine."""

import platformdirs

from condense_core.scenario.paths import DATA_ROOT_VARIABLE, data_root


def test_root_falls_back_to_the_variable_and_then_to_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_ROOT_VARIABLE, str(tmp_path))
    assert data_root(None) == tmp_path
    assert data_root("/elsewhere").as_posix() == "/elsewhere"
    monkeypatch.delenv(DATA_ROOT_VARIABLE)
    assert data_root(None) == platformdirs.user_cache_path("condense-tui") / "data"
