"""Quotas from the environment."""

import pytest

from batchspec.engine.quotas import PREFIX, Quotas, quotas_from_environment


def test_the_environment_chooses_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}POOLS", "3")
    assert quotas_from_environment() == Quotas(pools=3)


def test_a_quota_that_is_no_number_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}ACTIVE_JOBS", "many")
    with pytest.raises(ValueError, match=f"{PREFIX}ACTIVE_JOBS"):
        quotas_from_environment()


def test_a_change_keeps_what_it_does_not_name() -> None:
    changed = Quotas(pools=3).changed({"activeJobs": 2})
    assert changed.body() == {**Quotas().body(), "pools": 3, "activeJobs": 2}
