"""Reading: what each sentence of a message does, of whom it speaks, what it names, and what it means for a memory.

Small heads, trained on examples (models/reading), over the states of one encoder. They select and judge and never
write: every word of what comes out is a word of the message. Asked by the built-in model, by `remembering` for every
model, and by retrieval for questions.
"""
