"""Vectors: what makes them (sentence embeddings, CLIP) and what finds the nearest (exact, Chroma)."""
