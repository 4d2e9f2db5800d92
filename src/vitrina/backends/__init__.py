"""The built-in plugins: segmenters and, beside them in models/, their weights."""
