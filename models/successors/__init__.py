"""What the successor head is trained from, and the script that does it."""
