"""Reads the policy file; one that cannot be read whole and without doubt is refused, never half used."""

from __future__ import annotations

from collections.abc import Hashable
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from assent.geofence.policy import Policy, PolicyError
from assent.geofence.policy_document import policy_from
from services.registry.published_policy import PublishedPolicy

SHIPPED = "shipped.yaml"
MAX_BYTES = 1_000_000
MERGE_TAG = "tag:yaml.org,2002:merge"


class PolicyFileError(ValueError):
    """Raised when a policy file cannot be used. The message names the file, the key and what to do."""


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML in which no key may stand twice, for the second would silently win, and no `<<`, which replaces whole mappings."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == MERGE_TAG:
                problem = "<< is not taken: every entry is merged with the defaults key by key; leave it out"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_policy(path: Path | None) -> PublishedPolicy:
    """The policy of a file, or the shipped one. Raises PolicyFileError."""
    name = str(path) if path is not None else "the shipped policy"
    return PublishedPolicy.of(_policy(_text(path, name), name))


def _text(path: Path | None, name: str) -> str:
    try:
        if path is None:
            return files("services.registry").joinpath("policies", SHIPPED).read_text(encoding="utf-8")
        if path.stat().st_size > MAX_BYTES:
            raise PolicyFileError(f"{name} holds more than {MAX_BYTES} bytes; name the policy file")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{name} cannot be read ({type(error).__name__}); name a readable YAML file") from error


def _policy(text: str, name: str) -> Policy:
    try:
        written = yaml.load(text, _StrictLoader)
    except RecursionError as error:
        raise PolicyFileError(f"{name}: it is nested too deeply; write it as the shipped policy is written") from error
    except (yaml.YAMLError, ValueError) as error:
        # A date such as 30 February is a ValueError of the standard library.
        raise PolicyFileError(f"{name}: {_fault(error)}") from error
    try:
        return policy_from(written)
    except PolicyError as error:
        raise PolicyFileError(f"{name}: {error}") from error


def _fault(error: Exception) -> str:
    """What is wrong and in which line and column, in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())
