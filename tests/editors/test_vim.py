"""The Vim files, as a real Vim reads them: what is coloured how, how it indents, and what `:make` finds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from edgescript.generate.vim import group
from edgescript.highlight.syntax import Part
from tests.editors import parts

ROOT = Path(__file__).parents[2]
