"""Every pickler that writes session files: CPython's two and Python 2's."""

import pickle

from python2_pickler import Python2Pickler
from strange_objects import Elsewhere


class RepeatedKeys(dict):
    """A dict whose pickle sets equal keys more than once. `pairs` is what is written."""

    def __init__(self, pairs):
        dict.__init__(self, pairs)
        self.pairs = pairs


def _save_repeated_keys(pickler, value):
    pickler.write(pickle.EMPTY_DICT if pickler.bin else pickle.MARK + pickle.DICT)
    pickler.memoize(value)
    pickler._batch_setitems(value.pairs)


def _persistent_id(pickler, value):
    return value.identifier if isinstance(value, Elsewhere) else None


class PurePickler(pickle._Pickler):
    """CPython's pickler in Python."""

    dispatch = dict(pickle._Pickler.dispatch)
    dispatch[RepeatedKeys] = _save_repeated_keys
    persistent_id = _persistent_id


class CPickler(pickle.Pickler):
    """CPython's pickler in C."""

    persistent_id = _persistent_id


class OldPickler(Python2Pickler):
    """Python 2's pickler."""

    dispatch = dict(Python2Pickler.dispatch)
    dispatch[RepeatedKeys] = _save_repeated_keys
    persistent_id = _persistent_id
