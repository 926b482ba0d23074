import numpy as np

from .engine import Engine

ACTIONS: tuple[str, ...]
SCRIPT_DTYPE: np.dtype

class Script:
    rows: np.ndarray
    def __init__(self, rows: np.ndarray) -> None: ...
    def answers(self) -> list[tuple[int, int, int]]: ...
    def bind(self, engine: Engine) -> None: ...
