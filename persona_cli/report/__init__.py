"""One page with all that is remembered: a single HTML file that fetches nothing, for a browser or a printer.

gathering   what the page shows, out of the store, bounded where a life is long
figures     the personality as radar and curves, the conversations as a strip: SVG
thumbnails  pictures made small, as data URLs
life_page   the page itself: one Jinja2 template, everything in it escaped, a policy that allows no script
"""
