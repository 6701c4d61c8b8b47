"""The types of NumPy arrays; a docstring or comment says the shape."""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer[Any]]
PixelArray = npt.NDArray[np.uint8]  # 0..255
