"""Retrieval: from a question to the memories that answer it, the same for chat, search and the benchmark.

retriever   the pipeline and its two endings, recall and search
question    a question made ready: its vectors, its words, whom it asks about
when        the time it is about: windows, and times that hang on something remembered (`events`)
lanes       what speaks for each candidate by itself, as columns
messages    what stands around a message, and its form
ranking     candidates of one kind, all lanes together, what is junk
pictures    copies, looks, captions
lane_weights  what each kind of evidence is worth, and the noise of an embedder
reranking   the best looked at together with the question
"""

from persona_cli.memory.retrieval.retriever import AnyHit, Retriever, SearchResult

__all__ = ["AnyHit", "Retriever", "SearchResult"]
