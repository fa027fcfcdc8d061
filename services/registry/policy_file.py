"""Reads the policy file; one that cannot be read whole and without doubt is refused, never half used."""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from assent.geofence.policy import Policy, PolicyError
from assent.geofence.policy_document import policy_from
from assent.policies.stopping import MARK
from services.registry.published_policy import PublishedPolicy

SHIPPED = "shipped.yaml"
MAX_BYTES = 1_000_000
MERGE_TAG = "tag:yaml.org,2002:merge"
MOST_VALUES = 100_000
"""Values of a file with every alias written out: a few lines of aliases of aliases stand for more than any memory holds."""
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")


class PolicyFileError(ValueError):
    """Raised when a policy file cannot be used. The message names the file, the key and what to do."""


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML in which no key may stand twice, for the second would silently win, no `<<`, which replaces whole mappings, and no number
    that is another than it looks: YAML reads 060 as 48, and 1:30 as 90.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._values: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        is_alias = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if node is None:
            return None
        if not is_alias:
            parts = [] if isinstance(node, yaml.ScalarNode) else node.value
            within = parts if isinstance(node, yaml.SequenceNode) else [part for pair in parts for part in pair]
            self._values[node] = 1 + sum(self._values[part] for part in within)
        # An alias of what is not composed yet stands within itself.
        if self._values.get(node, MOST_VALUES + 1) > MOST_VALUES:
            problem = "it stands within itself, or for too much; write it out without aliases"
            raise yaml.composer.ComposerError(None, None, problem, node.start_mark)
        return node

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        found = super().construct_scalar(node)
        if isinstance(found, str) and any("\ud800" <= character <= "\udfff" for character in found):
            # Half a character can be written as an escape, and cannot be signed.
            raise yaml.constructor.ConstructorError(None, None, "it is no text that can be signed; leave the escape out", node.start_mark)
        return found

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        text = str(self.construct_scalar(node))
        is_whole = node.tag.endswith(":int")
        if ":" in text or "_" in text or (is_whole and _WHOLE.fullmatch(text) is None):
            problem = f"{text} is another number than it looks; write it in digits alone, without a 0 before them"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return self.construct_yaml_int(node) if is_whole else self.construct_yaml_float(node)

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


for _tag in ("int", "float"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _StrictLoader.construct_number)


def read_policy(path: Path | None) -> PublishedPolicy:
    """The policy of a file, or the shipped one. Raises PolicyFileError."""
    name = str(path) if path is not None else "the shipped policy"
    return PublishedPolicy.of(_policy(_text(path, name), name))


def _text(path: Path | None, name: str) -> str:
    try:
        if path is None:
            return files("services.registry").joinpath("policies", SHIPPED).read_text(encoding="utf-8")
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
        if len(found) > MAX_BYTES:
            raise PolicyFileError(f"{name} holds more than {MAX_BYTES} bytes; name the policy file")
        return found.decode()
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
    except (AttributeError, LookupError) as error:
        # So the library fails for a tag that the value does not fit, such as !!bool maybe.
        raise PolicyFileError(f"{name}: a value does not fit the tag (!!) before it; leave the tags out") from error
    try:
        policy = policy_from(written, today=datetime.now(UTC).date())
    except PolicyError as error:
        raise PolicyFileError(f"{name}: {error}") from error
    if MARK in policy.version:
        raise PolicyFileError(f"{name}: version: {MARK} stands in the versions of policies with a stop alone; write another")
    return policy


def _fault(error: Exception) -> str:
    """What is wrong and in which line and column, in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())
