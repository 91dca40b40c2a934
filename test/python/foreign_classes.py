"""Stand-ins for the classes of other packages that pickles name: Werkzeug's multi-dicts, MarkupSafe's text and pytz's time zones.

They pickle exactly as the originals do (Werkzeug 0.9 to 3.1, `werkzeug/datastructures`; MarkupSafe; pytz `__init__` and `tzinfo`), and
a pickle that names the originals unpickles to them. `install()` puts them under the originals' module names.
"""

import sys
import types
from datetime import timedelta, tzinfo

from applet_json import Markup

PLAIN_MODULE = "werkzeug.datastructures"
STRUCTURES_MODULE = "werkzeug.datastructures.structures"
MULTI_DICT_NAMES = (
    "MultiDict",
    "ImmutableMultiDict",
    "OrderedMultiDict",
    "ImmutableOrderedMultiDict",
    "_OrderedMultiDict",
    "_ImmutableOrderedMultiDict",
)


class MultiDictBase(dict):
    """What `MultiDict` does in every Werkzeug: a dict of lists that shows the first of each."""

    sequence_types = (tuple, list)

    def __init__(self, mapping=None):
        if isinstance(mapping, MultiDictBase):
            dict.__init__(self, ((key, values[:]) for key, values in mapping.lists()))
            return
        gathered = {}
        if isinstance(mapping, dict):
            for key, value in mapping.items():
                if isinstance(value, self.sequence_types):
                    if len(value) == 0:
                        continue
                    value = list(value)
                else:
                    value = [value]
                gathered[key] = value
        else:
            for key, value in mapping or ():
                gathered.setdefault(key, []).append(value)
        dict.__init__(self, gathered)

    def __getstate__(self):
        return dict(self.lists())

    def __setstate__(self, value):
        dict.clear(self)
        dict.update(self, value)

    def __getitem__(self, key):
        values = dict.__getitem__(self, key)
        if len(values) > 0:
            return values[0]
        raise KeyError(key)

    def __setitem__(self, key, value):
        dict.__setitem__(self, key, [value])

    def add(self, key, value):
        dict.setdefault(self, key, []).append(value)

    def setlist(self, key, values):
        dict.__setitem__(self, key, list(values))

    def items(self, multi=False):
        for key, values in dict.items(self):
            if multi:
                for value in values:
                    yield key, value
            else:
                yield key, values[0]

    def lists(self):
        for key, values in dict.items(self):
            yield key, list(values)


class ImmutableMixin:
    """Pickles through the constructor, and refuses every change after it."""

    def __reduce_ex__(self, protocol):
        return type(self), (list(self.items(multi=True)),)

    def __setitem__(self, key, value):
        raise TypeError("immutable")

    def add(self, key, value):
        raise TypeError("immutable")


class OrderedBase(MultiDictBase):
    """`OrderedMultiDict`: the pairs keep their order across keys."""

    def __init__(self, mapping=None):
        dict.__init__(self)
        self._pairs = []
        if mapping is not None:
            if isinstance(mapping, MultiDictBase):
                pairs = mapping.items(multi=True)
            elif isinstance(mapping, dict):
                pairs = (
                    (key, value)
                    for key, values in mapping.items()
                    for value in (values if isinstance(values, (tuple, list)) else (values,))
                )
            else:
                pairs = mapping
            for key, value in pairs:
                OrderedBase.add(self, key, value)

    def __reduce_ex__(self, protocol):
        return type(self), (list(self.items(multi=True)),)

    def __getstate__(self):
        return list(self.items(multi=True))

    def __setstate__(self, values):
        dict.clear(self)
        for key, value in values:
            self.add(key, value)

    def __setitem__(self, key, value):
        if key in self:
            self._pairs = [pair for pair in self._pairs if pair[0] != key]
            dict.pop(self, key)
        self.add(key, value)

    def add(self, key, value):
        dict.setdefault(self, key, []).append(value)
        self._pairs.append((key, value))

    def items(self, multi=False):
        shown = set()
        for key, value in self._pairs:
            if multi or key not in shown:
                shown.add(key)
                yield key, value

    def lists(self):
        shown = set()
        for key, _ in self._pairs:
            if key not in shown:
                shown.add(key)
                yield key, list(dict.__getitem__(self, key))


class WithOwnIter:
    """Newer Werkzeug overrides `__iter__`, so that `dict(multi_dict)` holds first values instead of lists."""

    sequence_types = (tuple, list, set)

    def __iter__(self):
        return dict.__iter__(self)


def _multi_dict_classes(module, extra):
    bases = {
        "MultiDict": (MultiDictBase,),
        "ImmutableMultiDict": (ImmutableMixin, MultiDictBase),
        "OrderedMultiDict": (OrderedBase,),
        "ImmutableOrderedMultiDict": (ImmutableMixin, OrderedBase),
        "_OrderedMultiDict": (OrderedBase,),
        "_ImmutableOrderedMultiDict": (ImmutableMixin, OrderedBase),
    }
    return {name: type(name, extra + parents, {"__module__": module}) for name, parents in bases.items()}


class UtcZone(tzinfo):
    """`pytz.utc`."""

    def __reduce__(self):
        return _UTC, ()

    def utcoffset(self, moment):
        return timedelta(0)

    def tzname(self, moment):
        return "UTC"

    def dst(self, moment):
        return timedelta(0)


UTC_ZONE = UtcZone()


def _UTC():
    return UTC_ZONE


class MinutesZone(tzinfo):
    """`pytz.FixedOffset(minutes)`."""

    def __init__(self, minutes):
        if abs(minutes) >= 1440:
            raise ValueError("absolute offset is too large", minutes)
        self._minutes = minutes

    def __reduce__(self):
        return FixedOffset, (self._minutes,)

    def utcoffset(self, moment):
        return timedelta(minutes=self._minutes)

    def tzname(self, moment):
        return None

    def dst(self, moment):
        return timedelta(0)


def FixedOffset(minutes):
    return UTC_ZONE if minutes == 0 else MinutesZone(minutes)


class NamedZone(tzinfo):
    """A zone of pytz's database: one state of a zone with daylight saving, or (`offset` None) one that never changes."""

    def __init__(self, zone, offset=None, dst=None, name=None):
        self.zone, self.offset, self.dst_offset, self.name = zone, offset, dst, name

    def __reduce__(self):
        if self.offset is None:
            return _p, (self.zone,)
        return _p, (self.zone, self.offset, self.dst_offset, self.name)

    def utcoffset(self, moment):
        return None if self.offset is None else timedelta(seconds=self.offset)

    def tzname(self, moment):
        return self.name

    def dst(self, moment):
        return None if self.dst_offset is None else timedelta(seconds=self.dst_offset)


def _p(zone, offset=None, dst=None, name=None):
    return NamedZone(zone, offset, dst, name)


def install():
    """Puts the stand-ins under the originals' module names, in the place of the originals where those are installed."""
    plain = types.ModuleType(PLAIN_MODULE)
    structures = types.ModuleType(STRUCTURES_MODULE)
    plain.__dict__.update(_multi_dict_classes(PLAIN_MODULE, ()))
    structures.__dict__.update(_multi_dict_classes(STRUCTURES_MODULE, (WithOwnIter,)))
    pytz = types.ModuleType("pytz")
    for function in (_UTC, _p, FixedOffset):
        function.__module__ = "pytz"
        setattr(pytz, function.__name__, function)
    sys.modules["werkzeug"] = types.ModuleType("werkzeug")
    sys.modules[PLAIN_MODULE] = plain
    sys.modules[STRUCTURES_MODULE] = structures
    sys.modules["pytz"] = pytz
    markupsafe = types.ModuleType("markupsafe")
    Markup.__module__, markupsafe.Markup = "markupsafe", Markup
    sys.modules["markupsafe"] = markupsafe
    return plain, structures


plain, structures = install()
MULTI_DICTS = {
    (module.__name__, name): getattr(module, name)
    for module in (plain, structures)
    for name in MULTI_DICT_NAMES
}
