"""Raw JPEG and PNG files -> pixels, in a plain TensorFlow graph, as `canonicalise` reads them."""

from trainer.export.graph_decoding.decoding import decode_raw, may_differ

__all__ = ["decode_raw", "may_differ"]
