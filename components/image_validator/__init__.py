"""Examples -> measures of every image, a report of issues, and a blessing."""
