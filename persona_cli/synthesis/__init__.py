"""Synthesis: from made-up people, or one's own memory, to what a model of this program is trained and tested on.

phrasing     the grammar: tables of words with choices and slots, filled by chance that is seeded
fact_kinds   what people tell, how it changes and how it is asked: the table of `grammar/facts.toml` as values
lifeplan     a person with a calendar: what is told, changed, asked and shown in which session
dialogue     the plan in words, by the grammar or by a teacher; labels follow from the plan
home_writing the memory of a person as the labels say, with the real retriever over it
scribe       the program's own prompts, written down with the reply that the labels say
lessons      one person's rows: every call of a stage with its prompt and reply
"""
