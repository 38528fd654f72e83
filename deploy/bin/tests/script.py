"""Scripts without an ending in their name, as modules."""

import importlib.machinery
import importlib.util
import pathlib
import types

DEPLOY = pathlib.Path(__file__).parents[2]


def load(path: str) -> types.ModuleType:
    """A script below deploy/."""
    loader = importlib.machinery.SourceFileLoader(path.replace("/", "_").replace("-", "_"), str(DEPLOY / path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
