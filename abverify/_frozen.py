"""`@frozen`: a frozen dataclass with slots that costs its process nothing before it is used.

`dataclasses.dataclass(frozen=True, slots=True)` writes six functions for a class as source text
and compiles them when the class is made: a third of a millisecond each time, and a verb loads
more than a hundred such classes, most of which it never makes an instance of. Here the functions
are shared by all classes, and the one that has to be quick, `__init__`, is compiled when the
first instance is made. `dataclasses.fields`, `replace` and `asdict` work as ever.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_ABSENT: Final = object()
"""Stands for an argument that was not given, where a factory makes the default."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Makes a class a frozen value: slots, equality and hash by its fields, no assignment."""
    for name, function in _SHARED.items():
        if name not in cls.__dict__:
            setattr(cls, name, function)
    return dataclass(init=False, repr=False, eq=False, slots=True)(cls)


def named(value: Any) -> dict[str, Any]:
    """A value's fields by name, in their order; what they hold is not copied."""
    return {item.name: getattr(value, item.name) for item in fields(value)}


def _init(self: Any, /, *args: Any, **kwargs: Any) -> None:
    """Stands in until the first instance is made; then the class has an `__init__` of its own."""
    for owner in type(self).__mro__:
        if owner.__dict__.get("__init__") is _init:
            owner.__init__ = _compiled(owner)  # type: ignore[misc]
            break
    type(self).__init__(self, *args, **kwargs)


def _compiled(cls: type[Any]) -> Callable[..., None]:
    """The `__init__` of a class: it sets each slot, and calls `__post_init__` if there is one."""
    names: dict[str, Any] = {"absent": _ABSENT}
    heads, body = ["self"], []
    for item in fields(cls):
        names[f"set_{item.name}"] = getattr(cls, item.name).__set__
        head, value = _argument(item, names)
        heads += [head] if head else []
        body += [f" set_{item.name}(self, {value})"] if value else []
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    # Names of fields only, as the class declares them; dataclasses does the same.
    exec(f"def __init__({', '.join(heads)}):\n" + "\n".join(body or [" pass"]), names)  # noqa: S102
    function: Callable[..., None] = names["__init__"]
    function.__qualname__ = f"{cls.__qualname__}.__init__"
    return function


def _argument(item: Field[Any], names: dict[str, Any]) -> tuple[str, str]:
    """A field in the head of `__init__` and the value it takes; empty where there is none."""
    name, made = item.name, f"make_{item.name}"
    if item.default_factory is not MISSING:
        names[made] = item.default_factory
        given = f"{made}() if {name} is absent else {name}"
        return (f"{name}=absent", given) if item.init else ("", f"{made}()")
    if item.default is not MISSING:
        names[made] = item.default
        return (f"{name}={made}", name) if item.init else ("", made)
    return (name, name) if item.init else ("", "")


def _compared(value: Any) -> Any:
    """What makes two instances of a class equal: one value, or several as a tuple."""
    cls = type(value)
    if cls not in _READERS:
        names = [item.name for item in fields(cls) if item.compare]
        _READERS[cls] = attrgetter(*names) if names else lambda _: ()
    return _READERS[cls](value)


_READERS: Final[dict[type[Any], Callable[[Any], Any]]] = {}


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _compared(self) == _compared(other)


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = (f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_setting(self: Any, name: str, value: object) -> None:
    del self, value
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: Any, name: str) -> None:
    del self
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for item, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, item.name, value)


_SHARED: Final = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse_setting,
    "__delattr__": _refuse_deleting,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
