"""Image folder or CSV -> TFRecords, manifest, quarantine.

Left empty on purpose: the decode processes import this package without TFX, Beam or TensorFlow.
"""
