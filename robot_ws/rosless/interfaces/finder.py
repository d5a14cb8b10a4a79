"""`from geometry_msgs.msg import Twist`, where no such package is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from rosless.interfaces.classes import MAKERS
from rosless.interfaces.definitions import names


class Finder(MetaPathFinder, Loader):
    """Packages by name, beneath them msg, srv and action; classes are made when asked for."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, group = fullname.partition(".")
        groups = names().get(package)
        if groups is None or (group and group not in groups):
            return None
        return ModuleSpec(fullname, self, origin="rosless", is_package=not group)

    def exec_module(self, module: ModuleType) -> None:
        package, _, group = module.__name__.partition(".")
        if not group:
            return
        known = names()[package][group]

        def getattr_(name: str) -> Any:
            if name not in known:
                raise AttributeError(
                    f"{package} has no {group} {name!r}; it has: {', '.join(sorted(known))}"
                )
            value = _made(package, group, name)
            setattr(module, name, value)
            return value

        module.__getattr__ = getattr_  # type: ignore[method-assign]
        module.__dir__ = lambda: sorted(known)  # type: ignore[method-assign]
        module.__all__ = sorted(known)  # type: ignore[attr-defined]


def _made(package: str, group: str, name: str) -> Any:
    full = f"{package}/{group}/{name}"
    parts = group != "msg" and "_" in name  # a part by itself: Trigger_Request
    return MAKERS["msg" if parts else group](full)
