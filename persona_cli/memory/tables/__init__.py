"""The tables of the store: one small class per noun over one `Connection`; the only place with SQL."""
