"""What is put in the place of what was imported, in a process of its own: another body of a function, another value of a constant."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from types import CodeType, FunctionType, ModuleType

_PLAIN = (str, bytes, int, float, type(None), range, re.Pattern, date, timedelta, Enum)


@dataclass(frozen=True, slots=True)
class BodySwap:
    """One other body into one function, and no answer from before it."""

    places: Sequence[FunctionType]
    body: CodeType
    caches: Sequence[Callable[[], None]]

    def make(self) -> bool:
        """Whether anything is another thing now."""
        for place in self.places:
            place.__code__ = self.body
        for clear in self.caches:
            clear()
        return True


@dataclass(frozen=True, slots=True)
class ConstantSwap:
    """The constants of a module as its mistake makes them, wherever they were imported to, and no answer from before.

    What a class or a default took of them stays as it was: a mistake that no test notices so may be noticed by an import.
    """

    module: ModuleType
    code: CodeType
    caches: Sequence[Callable[[], None]]

    def make(self) -> bool:
        """Whether anything is another thing now."""
        told: dict[str, object] = {"__name__": self.module.__name__, "__file__": self.module.__file__}
        exec(self.code, told)  # noqa: S102 - the module again, with its mistake
        held = vars(self.module)
        changed = {
            name: value
            for name, value in told.items()
            if not name.startswith("__") and name in held and _is_plain(value, self.module.__name__) and held[name] != value
        }
        for name, value in changed.items():
            _put(held[name], value, name)
        for clear in self.caches:
            clear()
        return bool(changed)


def _put(old: object, new: object, name: str) -> None:
    """Wherever the old value has this name, or is something that is not everywhere the same thing anyway, such as a word."""
    for module in list(sys.modules.values()):
        names = vars(module) if isinstance(module, ModuleType) else {}
        for known, value in list(names.items()):
            if value is old and (known == name or not isinstance(old, str | bytes | int | float)):
                names[known] = new


def _is_plain(value: object, module: str) -> bool:
    """It holds nothing of a class of this module, which is another class when the module is run again."""
    if isinstance(value, Mapping):
        return all(_is_plain(part, module) for item in value.items() for part in item)
    if isinstance(value, tuple | list | set | frozenset) and type(value) in (tuple, list, set, frozenset):
        return all(_is_plain(part, module) for part in value)
    return isinstance(value, _PLAIN) and type(value).__module__ != module
