"""The check of committed files finds a registry's host however it is written, and nothing else."""

from __future__ import annotations

import pytest

from tools.check_sources import REGISTRY_HOSTS, registry_hosts


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
@pytest.mark.parametrize("form", ["{}", "--index-url https://{}/simple", "mirror.{}", "image: {}/library/python"])
def test_a_host_is_found(host: str, form: str) -> None:
    assert list(registry_hosts("first\n" + form.format(host))) == [2]


@pytest.mark.parametrize("text", ["kafka.strimzi.io/v1", "python:3.11-slim", "mycrates.iota", "crates", "org.apache.maven"])
def test_other_words_are_not(text: str) -> None:
    assert list(registry_hosts(text)) == []
