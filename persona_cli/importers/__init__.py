"""Other programs' records as transcripts, one file for each format."""
