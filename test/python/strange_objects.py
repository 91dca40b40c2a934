"""Objects that no session in Redis can hold, each of its own kind to a pickler."""

import copyreg
import sys
import types


class Stranger:
    """An object of a class nobody knows."""

    def __init__(self, state=None):
        self.state = state


class StrangerWithArguments:
    """An object whose class takes keyword arguments when it is made: NEWOBJ_EX."""

    def __new__(cls, *, width):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"width": 3}


class StrangeDict(dict):
    """An object of a class nobody knows that is a dict."""


class StrangeList(list):
    """An object of a class nobody knows that is a list."""


class Extended1(Stranger):
    """Known by a one-byte extension code."""


class Extended2(Stranger):
    """Known by a two-byte extension code."""


class Extended4(Stranger):
    """Known by a four-byte extension code."""


class Elsewhere:
    """An object that a pickler writes as a persistent id."""

    def __init__(self, identifier):
        self.identifier = identifier


def a_factory():
    """A function, as a defaultdict's factory."""


strangers = types.ModuleType("strange.module")
for code, thing in (
    (None, Stranger),
    (None, StrangerWithArguments),
    (None, StrangeDict),
    (None, StrangeList),
    (200, Extended1),
    (4711, Extended2),
    (70000, Extended4),
    (None, a_factory),
):
    thing.__module__, thing.__qualname__ = "strange.module", thing.__name__
    setattr(strangers, thing.__name__, thing)
    if code is not None:
        copyreg.add_extension("strange.module", thing.__name__, code)
sys.modules["strange"] = types.ModuleType("strange")
sys.modules["strange.module"] = strangers
