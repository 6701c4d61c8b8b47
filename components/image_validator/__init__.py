"""What is in the images and wrong with them: measured, compared, reported, and blessed or not."""
