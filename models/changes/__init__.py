"""The line that tells whether a new statement ends an old one, and how it is fitted."""
