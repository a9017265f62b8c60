"""What the rules of change know: signs and states, endings, denials, corrections, and whose a memory is."""
