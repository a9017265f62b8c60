"""The trait heads: what they were trained on, and the script that trains them."""
