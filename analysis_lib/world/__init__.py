"""The simulated marketplace: a world whose causal truth is known, and that truth."""

from analysis_lib.world.builder import build
from analysis_lib.world.settings import Settings, load_settings
from analysis_lib.world.truth import truth

__all__ = ["Settings", "build", "load_settings", "truth"]
