"""The memory of a person for other programs: as tools (Model Context Protocol), as a model (OpenAI's API), as a page.

household      whose memory: opened at first use, one for each person of this home
results        what tools return, as frozen values
tools          what a client can ask of a memory, and with leave do to it
model_context  those tools as a server of the Model Context Protocol
clients        the block each client wants in its settings
access         who may speak to the server: the token, Host and Origin, how much at once
conversations  which message of a client's history is new, and which turn it takes the place of
completions    OpenAI's chat completions in and out
application    all of it as one Starlette application

Nothing here is imported while the command line starts: the protocol's package alone takes more than a second.
"""
