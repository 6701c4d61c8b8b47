"""Names, shapes and dtypes of features, and names of files next to them.

Feature names follow TensorFlow's own image data sets (`image/encoded`, `image/class/label`, ...).
"""

from typing import Final

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
SPLITS: Final = (TRAIN, VALIDATION, TEST)

# Every example, a scalar each.
ENCODED: Final = "image/encoded"  # bytes: canonical JPEG or PNG (contracts.images.canonical)
LABEL: Final = "image/class/text"  # bytes: UTF-8
PATH: Final = "image/filename"  # bytes: UTF-8, relative to the data root, "/" between parts
SHA256: Final = "image/key/sha256"  # bytes: lower-case hex of the file as it was found
WIDTH: Final = "image/width"  # int64, pixels, upright
HEIGHT: Final = "image/height"  # int64, pixels, upright
FILE_BYTES: Final = "image/file_bytes"  # int64, size of the file as it was found
FORMAT: Final = "image/source_format"  # bytes: what the file was, e.g. JPEG
CHANNELS: Final = "image/source_channels"  # int64, of the file as it was found
ASPECT: Final = "image/aspect_ratio"  # float32, width / height
BRIGHTNESS: Final = "image/brightness_mean"  # float32 in [0, 1], of the ITU-R 601 luma
CONTRAST: Final = "image/brightness_std"  # float32 in [0, 0.5]

# The features with statistics, schema and anomalies, and their Python types; image bytes, hashes
# and paths are not among them.
DERIVED: Final[dict[str, type]] = {
    LABEL: bytes,
    WIDTH: int,
    HEIGHT: int,
    FILE_BYTES: int,
    FORMAT: bytes,
    CHANNELS: int,
    ASPECT: float,
    BRIGHTNESS: float,
    CONTRAST: float,
}

# Transformed examples, a scalar each.
PIXELS: Final = "image/pixels"  # bytes: uint8 [size_px, size_px, 3], RGB, row by row
LABEL_INDEX: Final = "image/class/label"  # int64, into the label list
AUGMENTED: Final = "image/augmented"  # int64, 1: a changed copy of the image at PATH; absent else

# Of the artifacts Examples and ImageManifest: the version of the data.
FINGERPRINT_PROPERTY: Final = "fingerprint"

LABELS_FILE: Final = "labels.json"  # in an Examples artifact: the class names, in index order
