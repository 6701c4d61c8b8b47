"""What every other folder may know: config, names, errors. Never imports TensorFlow."""
