"""The faults that are seeded."""
from . import around, modules, promises

FAULTS = [*modules.FAULTS, *promises.FAULTS, *around.FAULTS]
