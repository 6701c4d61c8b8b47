"""Tells images from logs and code by the name of a file and its first bytes."""

import re
from typing import Final

FIRST_BYTES: Final = 512

_IMAGES: Final = frozenset(
    (
        *("jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "bmp", "dib", "webp", "tif", "tiff"),
        *("heic", "heif", "hif", "avif", "avifs", "jp2", "j2k", "jpc", "jpx", "jpf", "ico", "icns"),
        *("cur", "tga", "pcx", "dcx", "dds", "psd", "ppm", "pgm", "pbm", "pnm", "pfm", "sgi"),
        *("rgb", "ras", "xbm", "xpm", "qoi", "fits", "fit", "mpo", "blp", "fli", "flc", "gbr"),
        "pcd",
    )
)
# Endings of files that are no images. Other text files show it by their content.
_OTHERS: Final = frozenset(
    (
        *("py", "pyc", "pyo", "ipynb", "so", "dll", "exe", "o", "a", "class", "jar", "whl", "egg"),
        *("npy", "npz", "mat", "pkl", "pickle", "joblib", "h5", "hdf5", "keras", "pt", "pth"),
        *("ckpt", "index", "data", "pb", "onnx", "tflite", "safetensors", "bin", "tfevents"),
        *("tfrecord", "tfrecords", "wandb", "db", "sqlite", "sqlite3", "lmdb", "mdb", "parquet"),
        *("feather", "arrow", "zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "pdf"),
        *("doc", "docx", "xls", "xlsx", "ppt", "pptx", "mp4", "avi", "mov", "mkv", "webm", "mp3"),
        *("wav", "flac", "ogg", "ttf", "otf", "woff", "woff2", "log", "txt", "md", "json", "jsonl"),
        *("csv", "tsv", "yaml", "yml", "toml", "xml", "cfg", "ini", "lock"),
    )
)
_SIGNATURES: Final = (
    *(b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"8BPS", b"qoif"),
    *(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"\0\0\1\0", b"icns", b"DDS ", b"SIMPLE  ="),
)
_TEXT_IMAGE: Final = re.compile(rb"P[1-3]\s|/\* XPM|#define \S+_width")
# At byte 8: of RIFF files, and of the ISO base media file format (ISO/IEC 14496-12).
_BRANDS: Final = (
    *(b"WEBP", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"),
)
# No text holds one of these, by the rule of file(1).
_CONTROLS: Final = frozenset(range(32)) - {*b"\a\b\t\n\f\r\x1b"}


def has_image_name(name: str) -> bool:
    """Tell whether a file name has the ending of an image."""
    _, dot, ending = name.rpartition(".")
    return bool(dot) and ending.lower() in _IMAGES


def may_be_image(name: str, first: bytes) -> bool:
    """Tell whether a file may be an image, by its name and its first bytes.

    It is False only for text, and for a file that does not begin like an image and has the ending
    of another kind.
    """
    if has_image_name(name) or _TEXT_IMAGE.match(first):
        return True
    if first and not _CONTROLS.intersection(first):
        return False
    if first.startswith(_SIGNATURES) or first[8:12] in _BRANDS:
        return True
    # `model.ckpt.data-00000-of-00001` and `events.out.tfevents.17.host` show it by another part.
    return all(part.partition("-")[0] not in _OTHERS for part in name.lower().split(".")[1:])
