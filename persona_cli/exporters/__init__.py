"""What is remembered in the formats of others: Portable AI Memory and COGX, one file for each.

These are for taking one's memories to another program; the export that loses nothing and comes back is `archive`.
"""
