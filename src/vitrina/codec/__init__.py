"""Bytes to pixels and back: the only room that knows image libraries. It sees bytes, never paths."""
