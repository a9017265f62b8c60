"""A draft on its way into memory, whatever model proposed it: gate, slots, the same again, change, profile."""
