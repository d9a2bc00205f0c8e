"""Formats in and out. The suffix decides; each format is one module with a reader, a writer, or both."""
