"""Publishers: one module per marketplace, each a few requests over `wire`, and the folder that always works.

Vitrina is not a partner of any of them; the requests are those of their published interfaces.
"""
